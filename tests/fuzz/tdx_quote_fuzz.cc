// TDX quotes. The sizes add up to the input. A version 4 quote with a PEM chain is written back byte for byte, except
// for the reserved bytes of its header, which are not interpreted.
#include "codec/tdx_quote.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto quote = codec::parse_tdx_quote(input);
  if (!quote) return;
  FUZZ_CHECK(quote->version == 4 || quote->version == 5);
  FUZZ_CHECK(quote->qe_report_bytes.size() == codec::kQeReportSize);
  FUZZ_CHECK(equal(quote->signed_region, input.first(quote->signed_region.size())));
  if (quote->version != 4 || quote->certification_type != 5) return;
  const Bytes written =
      codec::write_tdx_v4_quote(quote->signed_region, quote->signature, quote->attestation_key, quote->qe_report_bytes,
                                quote->qe_report_signature, quote->qe_authentication_data, quote->certification_data);
  FUZZ_CHECK(equal(written, input.first(written.size())));
  const Bytes region = codec::write_tdx_v4_signed_region(quote->report, quote->user_data);
  FUZZ_CHECK(equal(ByteView(region).first(8), input.first(8)));
  FUZZ_CHECK(equal(ByteView(region).subspan(12), input.subspan(12, region.size() - 12)));
}
