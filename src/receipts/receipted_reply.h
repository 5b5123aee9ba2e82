// ReceiptedReply: one reply that has a receipt, whoever makes the reply. It gives the reply the headers that name its
// proof, holds the end back until the receipt is stored, and replaces the reply by a refusal where nothing has been sent
// yet. It knows no engine: a node computes the reply, or passes on another server's.
//
// Without a journal the reply is the same, without a receipt.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "api/refusal.h"
#include "api/reply.h"
#include "identity/keyring.h"
#include "receipts/transcript.h"

namespace cloister::receipts {

// What the receipted replies of one node have in common. All of it outlives them.
struct ReceiptedReplyContext {
  api::ReplyContext replies;
  const identity::Keyring& keyring;
  ReceiptJournal* journal;  // null: nothing is signed
  std::string_view engine;  // who makes the replies, as receipts name it
  bool served_here;         // false: a server that is not in this TEE makes them
};

class ReceiptedReply {
 public:
  // The server that writes the reply.
  enum class Author { kThisNode, kOtherServer };

  // Observes the exchange of `call`. `id` is the reply's own (store::reply_id_of). On the loop, in the handler.
  ReceiptedReply(const ReceiptedReplyContext& context, std::string id, api::Call call);
  ReceiptedReply(const ReceiptedReply&) = delete;
  ReceiptedReply& operator=(const ReceiptedReply&) = delete;

  const std::string& id() const { return id_; }
  // Null where nothing is signed.
  Transcript* transcript() { return transcript_.get(); }
  // The tap of its plaintext; always there.
  PlaintextTap& tap() { return *tap_; }

  // Calls `use` with the exchange, unless the reply is over. The exchange and its loop do not end meanwhile. Any thread.
  template <typename Use>  // void(http::Exchange&)
  void with_exchange(Use use) {
    const std::lock_guard lock(mutex_);
    if (exchange_) use(*exchange_);
  }

  // One of these two begins the reply. `head` has no body, and is completed by the headers of the proof.
  // A stream: what is written goes out at once. Ignored when a stream has begun or the reply is over. Any thread.
  void stream(http::Response head, Author author);
  // A whole reply: what is written is collected, and can still be replaced by an error. `length` is how much will come, if known.
  void collect(http::Response head, Author author, std::uint64_t length = 0);
  // True when the head of a stream has been sent.
  bool is_streaming();

  void write(std::string_view bytes);
  // One of these ends the reply; any thread. After them, and after drop(), all calls do nothing.
  // The reply is complete with these bytes, which wait for the receipt.
  void end(std::string_view last);
  // The reply went wrong. Before a stream has begun the error takes its place. Later a stream of this node ends after the
  // error event that was written; another server's stream is cut, so that it does not look whole.
  void fail(const Error& error);
  void refuse(const api::Refusal& refusal);
  // The client is gone.
  void drop();

 private:
  std::shared_ptr<Transcript> make_transcript(const api::Call& call, ReceiptJournal& journal) const;
  void refuse_on(std::shared_ptr<http::Exchange> exchange, http::Response response);
  // Called with the lock held: sets head_.
  void announce(http::Response head, Author author);
  void add_proof_headers(http::Headers& headers) const;
  // Releasing the exchange ends the reply: nothing is sent any more.
  std::shared_ptr<http::Exchange> take_exchange();

  const ReceiptedReplyContext context_;
  const std::string id_;
  const api::Endpoint& endpoint_;
  const std::shared_ptr<PlaintextTap> tap_ = std::make_shared<PlaintextTap>();
  std::shared_ptr<Transcript> transcript_;  // null when nothing is signed

  std::mutex mutex_;  // guards the members below, which the loop and the thread that makes the reply use
  std::shared_ptr<http::Exchange> exchange_;
  Author author_ = Author::kThisNode;
  int status_ = 200;
  http::Response head_;  // until a stream begins; its body: what a whole reply has collected
  bool streaming_ = false;
};

}  // namespace cloister::receipts
