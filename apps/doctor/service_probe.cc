#include "apps/doctor/service_probe.h"

#include <future>

#include "collateral/http_fetcher.h"

namespace cloister::apps {
namespace {

constexpr int kTimeoutMs = 10'000;

// Any answer of the service is enough, even a refusal of this empty request.
Finding probe(collateral::Fetcher& fetcher, const std::string& id, const std::string& url) {
  collateral::FetchRequest request;
  request.url = url;
  request.timeout_ms = kTimeoutMs;
  const Result<collateral::FetchResponse> response = fetcher.fetch(request);
  if (response) return advice(good(id, url + " answers (status " + std::to_string(response->status) + ")"));
  return advice(
      problem(id, response.error().message,
              "let this machine connect to that address, set https_proxy, or verify elsewhere and bring bundles "
              "(docs/guide/collateral.md)"));
}

}  // namespace

Findings probe_services(const collateral::Endpoints& endpoints) {
  const std::unique_ptr<collateral::Fetcher> fetcher = collateral::make_http_fetcher({});
  const std::pair<std::string, std::string> services[] = {
      {"collateral.intel", endpoints.intel + "/tdx/certification/v4/qe/identity"},
      {"collateral.nvidia_rim", endpoints.nvidia_rim + "/v1/rim/ids"},
      {"collateral.nvidia_ocsp", endpoints.nvidia_ocsp + "/"},
      {"collateral.amd", endpoints.amd_kds + "/vcek/v1/Genoa/crl"},
  };
  std::vector<std::future<Finding>> asked;
  for (const auto& [id, url] : services) {
    asked.push_back(
        std::async(std::launch::async, [&fetcher, id = id, url = url] { return probe(*fetcher, id, url); }));
  }
  Findings out;
  for (std::future<Finding>& each : asked) out.push_back(each.get());
  return out;
}

}  // namespace cloister::apps
