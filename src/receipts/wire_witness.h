// WireWitness: what of one reply has been handed to the socket: how many bytes, their SHA-256, and whether the client can
// have got all of them. Where a body is sealed for its reader, these are the sealed bytes; receipts/plaintext_tap.h reads
// the others. One thread; allocates nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace cloister::receipts {

class WireWitness {
 public:
  // In the order in which the bytes are handed to the socket.
  void on_sent(std::string_view bytes) {
    hash_.update(as_bytes(bytes));
    bytes_ += bytes.size();
  }

  struct Seen {
    ByteArray<32> sha256{};
    std::uint64_t bytes = 0;
    bool cut = false;  // the client did not get a whole reply
  };
  // Called once, when the reply is complete or cut.
  Seen finish(bool cut) { return {hash_.finish(), bytes_, cut}; }

 private:
  crypto::Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

}  // namespace cloister::receipts
