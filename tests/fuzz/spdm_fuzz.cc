// GPU reports. An accepted report is written and accepted again with the same content.
#include "codec/spdm.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto report = codec::parse_spdm_report(input);
  if (!report) return;
  FUZZ_CHECK(equal(report->signed_region, input.first(report->signed_region.size())));
  Bytes written = codec::write_spdm_signed_region(*report);
  FUZZ_CHECK(written.size() == report->signed_region.size());
  append(written, report->signature);
  const auto again = codec::parse_spdm_report(written);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->opaque == report->opaque && again->opaque_version == report->opaque_version);
  FUZZ_CHECK(again->opaque_value_types == report->opaque_value_types);
  FUZZ_CHECK(again->request_nonce == report->request_nonce && again->responder_nonce == report->responder_nonce);
  FUZZ_CHECK(again->measurements.size() == report->measurements.size());
  for (std::size_t i = 0; i < report->measurements.size(); ++i) {
    FUZZ_CHECK(again->measurements[i].index == report->measurements[i].index);
    FUZZ_CHECK(again->measurements[i].value == report->measurements[i].value);
    FUZZ_CHECK(again->measurements[i].value_type == report->measurements[i].value_type);
  }
  (void)report->opaque_text(codec::OpaqueField::kDriverVersion);
}
