// The SGX extension of PCK certificates. Any bytes are parsed or refused. One byte more or less never gives the same
// result.
#include "fuzz.h"
#include "verify/tdx/pck_extension.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto read = verify::parse_pck_extension(input);
  if (!read) {
    FUZZ_CHECK(!read.error().message.empty());
    return;
  }
  FUZZ_CHECK(!read->sgx_type || *read->sgx_type <= 2);
  FUZZ_CHECK(!verify::parse_pck_extension(input.first(input.size() - 1)));
  Bytes longer = to_bytes(input);
  longer.push_back(0);
  FUZZ_CHECK(!verify::parse_pck_extension(longer));
}
