// Compose texts. The reader of images ends on any text, lists a bounded number of lines, and pins nothing without a
// digest.
#include "fuzz.h"
#include "verify/boot/compose.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const verify::ComposeImages images = verify::read_compose_images(as_text(input));
  FUZZ_CHECK(images.loose.size() <= 32);
  FUZZ_CHECK(images.pinned == 0 || as_text(input).find("@sha256:") != std::string_view::npos);
  const auto compose = verify::parse_app_compose(as_text(input));
  if (compose) (void)verify::read_compose_images(compose->docker_compose_file);
}
