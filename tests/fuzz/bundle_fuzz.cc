// Collateral bundles. An accepted bundle is written and accepted again with the same content.
#include "fuzz.h"
#include "verify/bundle.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto bundle = verify::parse_bundle(as_text(input));
  if (!bundle) {
    FUZZ_CHECK(bundle.error().code == ErrorCode::kBadCollateral);
    return;
  }
  const std::string written = verify::write_bundle(*bundle);
  const auto again = verify::parse_bundle(written);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->rims == bundle->rims && again->ocsp_responses == bundle->ocsp_responses);
  FUZZ_CHECK(again->tdx.size() == bundle->tdx.size() && again->snp.size() == bundle->snp.size());
  FUZZ_CHECK(verify::write_bundle(*again) == written);
  for (const auto& [id, document] : bundle->rims) FUZZ_CHECK(verify::is_rim_id(id));
}
