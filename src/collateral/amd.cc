#include "collateral/amd.h"

#include <algorithm>
#include <string_view>

#include "base/encoding.h"
#include "crypto/crl.h"
#include "crypto/x509.h"

namespace cloister::collateral {
namespace {

// A chip's certificate at a patch level and its authorities do not change, and the service answers few requests.
constexpr std::int64_t kCertificateMaxAgeSeconds = 30 * 24 * 3600;
constexpr std::int64_t kCrlMaxAgeSeconds = 24 * 3600;
constexpr std::size_t kTurinIdSize = 8;

// Turin's address has the first bytes of the chip id, and one level more.
std::string path_of(const codec::SnpReport& report, codec::SnpProduct product) {
  const bool turin = product == codec::SnpProduct::kTurin;
  const codec::SnpTcb tcb = codec::decode_snp_tcb(report.reported_tcb, product);
  const ByteView id = ByteView(report.chip_id).first(turin ? kTurinIdSize : report.chip_id.size());
  const auto level = [](const char* name, std::uint8_t value) {
    return std::string(name) + "=" + (value < 10 ? "0" : "") + std::to_string(value);
  };
  return "/" + to_hex(id) + "?" + (turin ? level("fmcSPL", tcb.fmc) + "&" : "") + level("blSPL", tcb.boot_loader) +
         "&" + level("teeSPL", tcb.tee) + "&" + level("snpSPL", tcb.snp) + "&" + level("ucodeSPL", tcb.microcode);
}

std::vector<codec::SnpProduct> products_of(const codec::SnpReport& report) {
  if (report.product) return {*report.product};
  if (report.has_cpuid) return {};  // it names an unknown product
  return {codec::SnpProduct::kMilan, codec::SnpProduct::kGenoa, codec::SnpProduct::kTurin};
}

}  // namespace

Result<Bytes> AmdService::get_vcek(const codec::SnpReport& report, codec::SnpProduct product) const {
  const std::string name(codec::to_text(product));
  Download download;
  download.request.url = endpoints_.amd_kds + "/vcek/v1/" + name + path_of(report, product);
  download.request.limit_bytes = 64u << 10;
  download.what = "AMD chip certificate (VCEK, " + name + ")";
  download.on_404 = "AMD knows no " + name + " chip of this id at this patch level";
  download.max_age_s = kCertificateMaxAgeSeconds;
  Bytes out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(certificate, crypto::Certificate::from_der(as_bytes(response.body)));
    out = to_bytes(as_bytes(response.body));
    return certificate.not_after();
  }));
  return out;
}

Result<std::string> AmdService::get_authorities(const std::string& base, const std::string& what) const {
  Download download;
  download.request.url = base + "/cert_chain";
  download.request.limit_bytes = 64u << 10;
  download.what = "AMD authorities (" + what + ")";
  download.max_age_s = kCertificateMaxAgeSeconds;
  std::string out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(chain, crypto::parse_pem_chain(as_bytes(response.body)));
    if (chain.size() != 2) {
      return fail(ErrorCode::kNoCollateral, "expected 2 certificates, found " + std::to_string(chain.size()));
    }
    out = response.body;
    return std::min(chain[0].not_after(), chain[1].not_after());
  }));
  return out;
}

Result<Bytes> AmdService::get_crl(const std::string& base, const std::string& what) const {
  Download download;
  download.request.url = base + "/crl";
  download.what = "AMD revocation list (" + what + ")";
  download.max_age_s = kCrlMaxAgeSeconds;
  Bytes out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(der, crypto::decode_crl(as_bytes(response.body)));
    TRY(crl, crypto::Crl::from_der(der));
    out = std::move(der);
    return crl.next_update();
  }));
  return out;
}

Result<verify::SnpCollateral> AmdService::get(const codec::SnpReport& report,
                                              std::vector<std::string>& problems) const {
  if (report.signing_key == codec::SnpSigningKey::kNone) {
    return fail(ErrorCode::kNoCollateral, "AMD collateral: the report is not signed");
  }
  const bool vlek = report.signing_key == codec::SnpSigningKey::kVlek;
  if (!vlek && report.chip_key_masked) {
    return fail(ErrorCode::kNoCollateral, "AMD collateral: the report does not name its chip");
  }
  Error last = fail(ErrorCode::kNoCollateral, "AMD collateral: the report is of an unknown product");
  for (const codec::SnpProduct product : products_of(report)) {
    verify::SnpCollateral out;
    if (!vlek) {
      auto vcek = get_vcek(report, product);
      if (!vcek) {
        last = std::move(vcek).error();
        continue;
      }
      out.vcek = *std::move(vcek);
    }
    const std::string name(codec::to_text(product));
    const std::string what = (vlek ? "VLEK, " : "VCEK, ") + name;
    const std::string base = endpoints_.amd_kds + (vlek ? "/vlek/v1/" : "/vcek/v1/") + name;
    auto authorities = get_authorities(base, what);
    if (!authorities) {
      last = std::move(authorities).error();
      continue;
    }
    out.ask_ark = *std::move(authorities);
    if (auto crl = get_crl(base, what)) {
      out.crl = *std::move(crl);
    } else {
      problems.push_back(crl.error().message);
    }
    return out;
  }
  return last;
}

}  // namespace cloister::collateral
