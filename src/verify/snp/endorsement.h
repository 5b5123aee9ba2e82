// The certificate of a chip's signing key: what it says in AMD's extensions (AMD 57230, VCEK Certificate and KDS
// Interface Specification, section 3), and its chain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "codec/snp_report.h"
#include "crypto/x509.h"
#include "verify/collateral.h"

namespace cloister::verify {

struct Endorsement {
  std::vector<crypto::Certificate> chain;          // VCEK or VLEK, ASK or ASVK, ARK
  std::optional<codec::SnpProduct> product;        // whose pinned root the chain ends in
  codec::SnpSigningKey kind = codec::SnpSigningKey::kVcek;
  std::string product_name;                        // "Milan-B0"
  codec::SnpTcb tcb;
  std::optional<Bytes> chip_id;                    // 64 bytes; 8 on Turin; a VLEK has none
};

// Certificates and extensions; says nothing yet about signatures. Errors are kBadCertificate.
Result<Endorsement> read_endorsement(const SnpCollateral& collateral);

}  // namespace cloister::verify
