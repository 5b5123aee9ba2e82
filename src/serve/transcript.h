// Transcript: hashes a reply's bytes exactly as they go to the socket, signs both hashes when the reply is complete (ecdsa,
// the default; the ed25519 form is made when it is asked for), and stores the signature under the reply's id before the
// last byte leaves, so that whoever has the reply finds it.
// Used on one event loop.
#pragma once

#include <optional>
#include <string>

#include "codec/reply_id.h"
#include "crypto/hash.h"
#include "http/server.h"
#include "serve/node.h"

namespace cloister::serve {

class Transcript : public http::ReplyObserver {
 public:
  Transcript(NodeContext& context, std::string id, Owner owner, const ByteArray<32>& request_sha256)
      : context_(context), id_(std::move(id)), owner_(owner), request_sha256_(request_sha256) {}

  // For a reply whose id another server has given: the signature is found under that one too. Before the first byte.
  void find_reply_id(bool events) { reply_id_.emplace(events); }

  void on_body(std::string_view bytes) override {
    response_.update(as_bytes(bytes));
    if (reply_id_) reply_id_->feed(bytes);
  }
  void on_complete() override;

 private:
  NodeContext& context_;
  const std::string id_;
  const Owner owner_;
  const ByteArray<32> request_sha256_;
  crypto::Sha256 response_;
  std::optional<codec::ReplyId> reply_id_;
};

}  // namespace cloister::serve
