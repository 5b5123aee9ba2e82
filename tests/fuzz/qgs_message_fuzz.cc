// Responses of the Quote Generation Service. An accepted quote lies in the message, and is accepted again from a
// message that the test builds.
#include "codec/qgs_message.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto quote = codec::parse_qgs_quote_response(input);
  if (!quote) return;
  FUZZ_CHECK(!quote->empty() && quote->size() + 24 <= input.size());
  FUZZ_CHECK(equal(input.last(quote->size()), *quote));
  const auto again = codec::parse_qgs_quote_response(codec::write_qgs_quote_response(*quote, 0));
  FUZZ_CHECK(again.has_value() && *again == *quote);
}
