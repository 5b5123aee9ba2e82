// The certificate of a chip's signing key: what it says in AMD's extensions (AMD 57230, VCEK Certificate and KDS
// Interface Specification, section 3), and its chain.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/snp_report.h"
#include "crypto/x509.h"
#include "verify/collateral.h"
#include "verify/snp/amd_roots.h"

namespace cloister::verify {

struct Endorsement {
  std::vector<crypto::Certificate> chain;     // VCEK or VLEK, ASK or ASVK, ARK
  const crypto::Certificate* root = nullptr;  // the trusted root that the chain claims to end with; null for none
  std::optional<codec::SnpProduct> product;   // the product of that root
  codec::SnpSigningKey kind = codec::SnpSigningKey::kVcek;
  std::string product_name;  // "Milan-B0"
  codec::SnpTcb tcb;
  std::optional<Bytes> chip_id;  // 64 bytes; 8 on Turin; a VLEK has none
};

// Reads certificates and extensions; signatures are not verified yet. `roots` are the trusted ones, and outlive the
// result. Errors are kBadCertificate.
Result<Endorsement> read_endorsement(const SnpCollateral& collateral, std::span<const AmdRoot> roots);

}  // namespace cloister::verify
