#include "collateral/endpoints.h"

#include <utility>

#include "http/client.h"

namespace cloister::collateral {
namespace {

constexpr std::string_view kPccsPath = "/sgx/certification/v4";

Result<void> check_address(std::string& address, std::string_view name) {
  auto url = http::parse_url(address);
  if (!url) return fail(ErrorCode::kBadUrl, std::string(name) + ": " + url.error().message, std::string(name));
  while (address.ends_with('/')) address.pop_back();
  return {};
}

bool is_this_machine(std::string_view host) { return host == "localhost" || host == "127.0.0.1" || host == "::1"; }

}  // namespace

void use_pccs(Endpoints& endpoints, std::string_view address) {
  while (address.ends_with('/')) address.remove_suffix(1);
  if (address.ends_with(kPccsPath)) address.remove_suffix(kPccsPath.size());
  endpoints.intel = address;
  endpoints.intel_root_crl.clear();
}

Result<void> normalise(Endpoints& endpoints) {
  for (auto [address, name] : {std::pair{&endpoints.intel, "intel"},
                               {&endpoints.nvidia_rim, "nvidia_rim"},
                               {&endpoints.nvidia_ocsp, "nvidia_ocsp"},
                               {&endpoints.amd_kds, "amd_kds"}}) {
    TRY_VOID(check_address(*address, name));
  }
  if (!endpoints.intel_root_crl.empty()) TRY_VOID(check_address(endpoints.intel_root_crl, "intel_root_crl"));
  TRY_VOID(check_address(endpoints.nvidia_nras, "nvidia_nras"));
  return require_tls(endpoints.nvidia_nras, "nvidia_nras");
}

Result<void> require_tls(const std::string& address, const std::string& name) {
  TRY(url, http::parse_url(address));
  if (url.tls || is_this_machine(url.host)) return {};
  return fail(ErrorCode::kBadUrl, name + ": expected https, got " + address, name);
}

}  // namespace cloister::collateral
