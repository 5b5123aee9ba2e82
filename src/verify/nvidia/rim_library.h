// Verifies NVIDIA's reference manifests by themselves,
// before any device is compared with them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "codec/corim.h"
#include "codec/rim.h"
#include "crypto/x509.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// The ids of the checks have no prefix: "form", "signature", "chain".
struct JudgedRim {
  std::vector<Check> checks;
  std::vector<crypto::Certificate> chain;  // signer first; empty when it could not be read
  // The content, in one of its two forms; present only when the signature is valid.
  std::optional<codec::Rim> content;
  std::optional<codec::Corim> corim;
  bool is_corim = false;
};

// Verifies each manifest once, however many devices need it. For one verdict and one thread.
class RimLibrary {
 public:
  RimLibrary(const Context& context, const crypto::Certificate* root, crypto::VerifiedLinks& cache)
      : context_(context), root_(root), cache_(cache) {}
  // Returns null when the collateral holds no manifest of this name.
  const JudgedRim* find(const std::string& id);

 private:
  const Context& context_;
  const crypto::Certificate* root_;
  crypto::VerifiedLinks& cache_;
  std::map<std::string, JudgedRim> judged_;
};

// For fetchers: the certificates of a manifest's signer, including the pinned root where they lead to it; empty when
// they cannot be read. They are not verified.
std::vector<crypto::Certificate> rim_signers(const std::string& text);

}  // namespace cloister::verify
