// Fetches from AMD's Key Distribution Service: the certificate of one chip at one patch level, its authorities and
// their revocation list (AMD 57230, VCEK Certificate and KDS Interface Specification). verify/snp verifies the answers.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "codec/snp_report.h"
#include "collateral/downloader.h"
#include "collateral/endpoints.h"
#include "verify/collateral.h"

namespace cloister::collateral {

class AmdService {
 public:
  // Both arguments must outlive this object.
  AmdService(Downloader& downloader, const Endpoints& endpoints) : downloader_(downloader), endpoints_(endpoints) {}

  // Fetches what `report` is verified with. For a report that does not say which product it comes from (version 2), all
  // products are tried. For a report signed with a VLEK the certificate itself is not served: it comes with the report.
  // A revocation list that cannot be fetched stays empty and adds to `problems`.
  Result<verify::SnpCollateral> get(const codec::SnpReport& report, std::vector<std::string>& problems) const;

 private:
  Result<Bytes> get_vcek(const codec::SnpReport& report, codec::SnpProduct product) const;
  Result<std::string> get_authorities(const std::string& base, const std::string& what) const;
  Result<Bytes> get_crl(const std::string& base, const std::string& what) const;

  Downloader& downloader_;
  const Endpoints& endpoints_;
};

}  // namespace cloister::collateral
