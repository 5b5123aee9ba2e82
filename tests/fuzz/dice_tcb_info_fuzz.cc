// What a GPU's certificate says of the firmware that signs: every extension is read or refused, and none with bytes behind it.
#include "fuzz.h"
#include "verify/nvidia/tcb_info.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto info = verify::parse_tcb_info(input);
  if (!info) return;
  FUZZ_CHECK(info->flags.size() <= 9);
  Bytes longer = to_bytes(input);
  longer.push_back(0);
  FUZZ_CHECK(!verify::parse_tcb_info(longer));
}
