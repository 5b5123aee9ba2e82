#include "net/mailbox.h"

namespace cloister::net {

void Mailbox::push(MailboxNode* node) {
  MailboxNode* head = newest_.load(std::memory_order_relaxed);
  do {
    node->next_ = head;
  } while (!newest_.compare_exchange_weak(head, node, std::memory_order_seq_cst, std::memory_order_relaxed));
}

// Returns the oldest first.
MailboxNode* Mailbox::take_in_order() {
  MailboxNode* newest = newest_.exchange(nullptr, std::memory_order_acq_rel);
  MailboxNode* oldest = nullptr;
  while (newest != nullptr) {
    MailboxNode* const next = newest->next_;
    newest->next_ = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

void Mailbox::run() {
  if (empty()) return;
  for (MailboxNode* node = take_in_order(); node != nullptr;) {
    // Read first: on_taken() may put the node into a box again or destroy it.
    MailboxNode* const next = node->next_;
    node->on_taken();
    node = next;
  }
}

void Mailbox::drop() {
  for (MailboxNode* node = take_in_order(); node != nullptr;) {
    MailboxNode* const next = node->next_;
    node->on_dropped();
    node = next;
  }
}

}  // namespace cloister::net
