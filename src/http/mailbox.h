// Mailbox: hands work from any thread to one event loop. Intrusive and lock-free, so that a handover allocates nothing.
#pragma once

#include <atomic>

namespace cloister::http {

// Base of what can be put in a mailbox. A node is in one mailbox at most, once at most; its owner sees to that.
class MailboxNode {
 public:
  virtual ~MailboxNode() = default;
  // Called on the loop after the node was taken out; it may be put in again from here on.
  virtual void on_taken() = 0;

 private:
  friend class Mailbox;
  MailboxNode* next_ = nullptr;
};

class Mailbox {
 public:
  // Any thread. True when the box was empty before: the caller then wakes the loop, once for the whole batch.
  [[nodiscard]] bool push(MailboxNode* node);
  // Loop thread: takes everything out and calls on_taken() in the order of arrival.
  void run();

 private:
  std::atomic<MailboxNode*> newest_{nullptr};
};

}  // namespace cloister::http
