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

// What the tokens must be about. NVIDIA's service judges GPUs and switches apart, each in a token of its own.
struct NrasSubject {
  std::vector<std::string> gpu_ueids, switch_ueids;  // one a device
  std::optional<ByteArray<32>> nonce;   // absent when devices answered different ones or none could be read
  bool complete = true;                 // every device could be read
};

// Adds the checks nvidia.nras.* and the fact `nras`; each covers every token that is there. Without any they do not
// apply, or are skipped when the policy requires the service's opinion; where one of two is missing, nvidia.nras.devices is.
// Where nothing vouches for a key that signed, all but the form are skipped: what such a token says is anybody's word.
// `authority` certifies the service's keys (pinned_nras_authority() outside tests).
void check_nras(const NrasSubject& subject, const Context& context, const crypto::Certificate* authority,
                Verdict& verdict);

// The same ids, all not applicable for one reason.
void add_nras_not_applicable(const std::string& why, Verdict& verdict);

}  // namespace cloister::verify
