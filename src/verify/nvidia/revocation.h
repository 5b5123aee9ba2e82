// Checks by OCSP (RFC 6960) whether certificates have been revoked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/ocsp.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Checks each certificate once, however many chains share it. For one verdict and one thread.
class RevocationList {
 public:
  // Responses that cannot be read answer for no certificate; where an answer is missing, the detail says that there were such.
  RevocationList(const Context& context, crypto::VerifiedLinks& cache);

  // Checks every certificate of the chain from `first` on except the root. Revoked, on hold (unless the policy allows that),
  // unknown, and answers that do not verify fail. An answer of another time, or one that lacks our nonce, fails where the
  // policy requires revocation; a missing one is skipped there. Where the policy does not require it, both do not apply.
  Check check(std::string id, const std::vector<crypto::Certificate>& chain, std::size_t first = 0);

 private:
  enum class Finding { kGood, kTolerated, kMissing, kStale, kBad };
  struct Judged {
    Finding finding = Finding::kMissing;
    std::string status;  // "good", "revoked", ...
    std::string why;
  };
  const Judged& judge(const std::vector<crypto::Certificate>& chain, std::size_t index);
  Judged judge_answer(const crypto::OcspResponse& response, const std::vector<crypto::Certificate>& chain,
                      std::size_t index);
  Judged judge_status(const crypto::OcspAnswer& answer) const;
  // Why the answer says nothing about the time of the verdict; empty when it does.
  std::string staleness(const crypto::OcspAnswer& answer) const;

  const Context& context_;
  crypto::VerifiedLinks& cache_;
  std::vector<crypto::OcspResponse> responses_;
  std::size_t unreadable_ = 0;
  std::map<Bytes, Judged> judged_;  // by the DER of certificate and issuer
};

}  // namespace cloister::verify
