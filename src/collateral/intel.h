// Fetches TCB information, QE identity and revocation lists from Intel's Provisioning Certification Service or a PCCS
// (Intel PCS API v4). Answers are parsed as far as needed to notice a wrong one and to know how long to keep it;
// verify/tdx verifies them.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "collateral/downloader.h"
#include "collateral/endpoints.h"
#include "verify/collateral.h"

namespace cloister::collateral {

enum class PckCa { kPlatform, kProcessor };

// The platform that collateral is published for.
struct TdxPlatform {
  ByteArray<6> fmspc{};
  PckCa ca = PckCa::kPlatform;  // the authority that issued the PCK certificate, whose revocation list counts
  auto operator<=>(const TdxPlatform&) const = default;
};

// Which evaluation set is asked for: "early" has new TCB levels at once, "standard" some months later.
enum class TcbUpdate { kStandard, kEarly };

class IntelService {
 public:
  // All arguments must outlive this object.
  IntelService(Downloader& downloader, const Endpoints& endpoints, TcbUpdate update)
      : downloader_(downloader), endpoints_(endpoints), update_(update) {}

  // Each function fills its members of `out` or leaves them unchanged. Any thread.
  Result<void> get_tcb_info(const ByteArray<6>& fmspc, verify::TdxCollateral& out) const;
  Result<void> get_qe_identity(verify::TdxCollateral& out) const;
  Result<void> get_pck_crl(PckCa ca, verify::TdxCollateral& out) const;
  Result<void> get_root_crl(verify::TdxCollateral& out) const;

 private:
  Download signed_json(const std::string& path, const std::string& query) const;

  Downloader& downloader_;
  const Endpoints& endpoints_;
  const TcbUpdate update_;
};

// Decodes a certificate chain from a header, where it is percent-encoded: two PEM certificates, at most 32 KiB.
Result<std::string> decode_issuer_chain(std::string_view header);

}  // namespace cloister::collateral
