// The statement of a GPU's certificate about the firmware that signs. Every extension is parsed or refused, and none
// may have trailing bytes.
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
