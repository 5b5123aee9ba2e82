// Answers of the RIM service, and names for manifests that are made from their content. No name leaves its folder.
#include "collateral/nvidia.h"
#include "collateral/rim_folder.h"
#include "fuzz.h"
#include "verify/bundle.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto document = collateral::read_rim_answer(as_text(input), "NV_GPU_DRIVER_GH100_550.144.03");
  FUZZ_CHECK(!document || !document->empty());
  const std::string by_content = collateral::rim_id_of("driver", as_text(input));
  FUZZ_CHECK(by_content.empty() || verify::is_rim_id(by_content));
  const std::string by_name = collateral::rim_id_of(as_text(input), "");
  FUZZ_CHECK(by_name.empty() || verify::is_rim_id(by_name));
}
