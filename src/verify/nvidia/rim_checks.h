// Judges reference manifests and what devices measured by them (attestation.md section 9).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/rim.h"
#include "codec/spdm.h"
#include "crypto/x509.h"
#include "verify/context.h"
#include "verify/nvidia/nvidia_roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What a manifest is worth before any device is compared with it. Ids are without prefix: "form", "signature", "chain".
struct JudgedRim {
  std::vector<Check> checks;
  std::vector<crypto::Certificate> chain;  // signer first; empty when it could not be read
  std::optional<codec::Rim> content;       // only when its signature holds; never of a CoRIM
  bool is_corim = false;
};

// Judges each manifest once, however many devices need it. For one judgement and one thread.
class RimLibrary {
 public:
  RimLibrary(const Context& context, const crypto::Certificate* root, crypto::VerifiedLinks& cache)
      : context_(context), root_(root), cache_(cache) {}
  // Null when the collateral holds no manifest of this name.
  const JudgedRim* find(const std::string& id);

 private:
  const Context& context_;
  const crypto::Certificate* root_;
  crypto::VerifiedLinks& cache_;
  std::map<std::string, JudgedRim> judged_;
};

struct RimFindings {
  // What revocation must be known of; null when there is no such manifest.
  const JudgedRim* driver = nullptr;
  const JudgedRim* vbios = nullptr;
  bool switch_without_driver = false;
  Json facts = Json::object();  // {"driver_rim","vbios_rim","mismatches":[{"index","source"}]}
};

// Adds the checks <prefix>rim.*; `prefix` is "nvidia.gpu.<number>.".
RimFindings check_rims(const std::string& prefix, const codec::SpdmReport& report,
                       const std::vector<crypto::Certificate>& chain, RimLibrary& library, Verdict& verdict);

// The same ids as not applicable, or skipped, all for one reason.
void add_rim_checks(const std::string& prefix, Check (*make)(std::string id, const std::string& why),
                    const std::string& why, Verdict& verdict);

}  // namespace cloister::verify
