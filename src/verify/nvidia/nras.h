// Verifies the second opinion of NVIDIA's Remote Attestation Service (NRAS), a detached EAT. The local appraisal is
// made in any case; the service is one more party that is trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/x509.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What the tokens must be about. NVIDIA's service appraises GPUs and switches separately, each in a token of its own.
struct NrasSubject {
  std::vector<std::string> gpu_ueids, switch_ueids;  // one for each device
  std::optional<ByteArray<32>> nonce;  // absent when devices answered different nonces or none could be read
  bool complete = true;                // every device could be read
};

// Adds the checks nvidia.nras.* and the fact `nras`; each check covers all tokens. Without tokens they do not apply, or
// are skipped when the policy requires the service's opinion; where one of two is missing, nvidia.nras.devices is.
// Where nothing vouches for a key that signed, all checks but the form are skipped, since anybody could have written
// such a token. `authority` certifies the service's keys (pinned_nras_authority() outside tests).
void check_nras(const NrasSubject& subject, const Context& context, const crypto::Certificate* authority,
                Verdict& verdict);

// Adds the same ids, all not applicable for one reason.
void add_nras_not_applicable(const std::string& why, Verdict& verdict);

}  // namespace cloister::verify
