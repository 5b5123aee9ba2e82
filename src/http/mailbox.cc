#include "http/mailbox.h"

namespace cloister::http {

bool Mailbox::push(MailboxNode* node) {
  MailboxNode* head = newest_.load(std::memory_order_relaxed);
  do {
    node->next_ = head;
  } while (!newest_.compare_exchange_weak(head, node, std::memory_order_acq_rel, std::memory_order_relaxed));
  return head == nullptr;
}

void Mailbox::run() {
  MailboxNode* newest = newest_.exchange(nullptr, std::memory_order_acq_rel);
  MailboxNode* oldest = nullptr;
  while (newest != nullptr) {
    MailboxNode* const next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  while (oldest != nullptr) {
    // Read first: on_taken() may put the node into the box again or destroy it.
    MailboxNode* const next = oldest->next_;
    oldest->on_taken();
    oldest = next;
  }
}

}  // namespace cloister::http
