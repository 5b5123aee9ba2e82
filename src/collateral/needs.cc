#include "collateral/needs.h"

#include <optional>

#include "codec/spdm.h"
#include "codec/tdx_quote.h"
#include "crypto/x509.h"
#include "verify/nvidia/rim_ids.h"
#include "verify/roots.h"
#include "verify/tdx/pck_extension.h"

namespace cloister::collateral {
namespace {

constexpr std::uint16_t kPemChain = 5;
// The issuing authority decides which revocation list is asked for (Intel PCS API v4, `pckcrl?ca=`).
constexpr std::string_view kPlatformCa = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCa = "Intel SGX PCK Processor CA";

std::optional<TdxPlatform> platform_of(ByteView bytes) {
  const auto quote = codec::parse_tdx_quote(bytes);
  if (!quote || quote->certification_type != kPemChain) return std::nullopt;
  const auto chain = crypto::parse_pem_chain(quote->certification_data);
  if (!chain || chain->empty()) return std::nullopt;
  if (verify::claimed_root(verify::RootUse::kCpu, *chain) != verify::RootKind::kVendor) return std::nullopt;
  const auto extension = verify::read_pck_extension(chain->front());
  if (!extension) return std::nullopt;
  const std::string issuer = chain->front().issuer_common_name();
  if (issuer == kPlatformCa) return TdxPlatform{extension->fmspc, PckCa::kPlatform};
  if (issuer == kProcessorCa) return TdxPlatform{extension->fmspc, PckCa::kProcessor};
  return std::nullopt;
}

std::vector<std::string> manifests_of(const evidence::GpuEvidence& device) {
  const auto report = codec::parse_spdm_report(device.report);
  const auto chain = crypto::parse_pem_chain(as_bytes(device.certificate_chain_pem));
  if (!report || !chain) return {};
  if (verify::claimed_root(verify::RootUse::kGpu, *chain) != verify::RootKind::kVendor) return {};
  return verify::required_rim_ids(*report, *chain);
}

}  // namespace

Needs needs_of(const Evidence& evidence) {
  Needs needs;
  for (const Bytes& quote : evidence.quotes) {
    if (const auto platform = platform_of(quote)) needs.tdx.insert(*platform);
  }
  for (const evidence::GpuEvidence& device : evidence.devices) {
    for (std::string& id : manifests_of(device)) needs.rim_ids.insert(std::move(id));
  }
  for (const Bytes& bytes : evidence.snp_reports) {
    if (auto report = codec::parse_snp_report(bytes)) needs.snp.push_back(*std::move(report));
  }
  return needs;
}

}  // namespace cloister::collateral
