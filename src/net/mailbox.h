// Mailbox: hands work from any thread to one event loop. Intrusive and lock-free, so that a handover allocates nothing.
#pragma once

#include <atomic>

namespace cloister::net {

// The base of what can be put in a mailbox. A node is in at most one mailbox, and at most once; its owner ensures that.
class MailboxNode {
 public:
  virtual ~MailboxNode() = default;
  // Called on the loop after the node was taken out; it may be put in again from here on.
  virtual void on_taken() = 0;
  // Called when the loop has ended with the node still in the box.
  virtual void on_dropped() {}

 private:
  friend class Mailbox;
  MailboxNode* next_ = nullptr;
};

class Mailbox {
 public:
  // Any thread. Sequentially consistent with empty(): when a thread sleeps after finding the box empty, the thread that
  // fills the box sees it asleep.
  void push(MailboxNode* node);
  bool empty() const { return newest_.load() == nullptr; }
  // Loop thread: takes everything out and calls on_taken() in the order of arrival.
  void run();
  // At the end of the loop: takes everything out and calls on_dropped().
  void drop();

 private:
  MailboxNode* take_in_order();
  std::atomic<MailboxNode*> newest_{nullptr};
};

}  // namespace cloister::net
