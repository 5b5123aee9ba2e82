// Checks a reply's signature as a user would. Both hashes in the signed text are compared with the bytes that went over
// the wire, and the ECDSA signature is compared with the address (docs/spec/legacy-proof.md). One thread uses a check
// at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "crypto/hash.h"

namespace cloister::bench {

// One sampled exchange, which is hashed while it happens.
class SignatureCheck {
 public:
  void begin(std::string_view request_body);
  void add_reply(std::string_view bytes);
  // Returns the path of the signature. `first_json` is the whole reply or the first event of a stream, and names id and
  // model.
  Result<std::string> signature_path(std::string_view first_json);
  void add_signature(std::string_view bytes) { signature_.append(bytes); }
  Result<void> judge();

 private:
  crypto::Sha256 request_;
  crypto::Sha256 reply_;
  std::string signature_;
};

// The results of a run's samples.
struct SampleTally {
  int wanted = 0;
  int started = 0;
  int good = 0;
  std::vector<std::string> complaints;  // bounded

  bool take() { return started < wanted && ++started > 0; }
  void settle(const Result<void>& verdict);
  Json summary() const;
};

}  // namespace cloister::bench
