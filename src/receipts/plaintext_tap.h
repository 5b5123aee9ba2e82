// PlaintextTap: reads one reply in plaintext. Of a reply that comes in from another server it reads what that reply says
// of itself. Of what goes out to the client it hashes each event. Where a body is sealed for its reader, the tap sees the
// bytes before they are sealed; what goes over the wire is for receipts/wire_witness.h. Any piece sizes.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/reply_words.h"
#include "codec/sse_events.h"
#include "crypto/hash.h"
#include "evidence/event_salts.h"

namespace cloister::receipts {

class PlaintextTap {
 public:
  // A reply of another server follows, as events or as one body. On the loop, like the next two functions.
  void expect_words(bool events) { words_ = std::make_unique<codec::ReplyWords>(events); }
  void on_incoming(std::string_view bytes) {
    if (words_) words_->feed(bytes);
  }
  // What that reply has said so far; null where none is expected.
  const codec::ReplyWords* words() const { return words_.get(); }

  // What goes out is a stream of events, which is hashed by event. Any thread, before the first bytes go out.
  void expect_events() { has_events_.store(true, std::memory_order_release); }
  // On the loop; allocates nothing but a growing list of hashes.
  void on_outgoing(std::string_view bytes);

  struct Events {
    std::vector<evidence::EventHash> hashes;  // SHA-256 of each complete event
    bool too_many = false;                    // more than evidence::kMostEvents
  };
  // The events that have gone out. Called once, on the loop, when no more bytes go out.
  Events finish();

 private:
  void end_event();

  std::unique_ptr<codec::ReplyWords> words_;
  std::atomic<bool> has_events_{false};
  codec::SseEvents splitter_;
  std::optional<crypto::Sha256> event_;  // the one at hand
  Events events_;
};

}  // namespace cloister::receipts
