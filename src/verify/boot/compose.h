// The application's compose text: which of its container images are pinned by digest (attestation.md section 6.4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::verify {

struct ComposeImages {
  std::size_t pinned = 0;
  // What is not `name@sha256:<64 hex>`, or what keeps a reader from seeing which image it is: "line 4: image: ubuntu".
  std::vector<std::string> loose;
};

// Looks at a docker-compose file line by line. This is no YAML parser, and it errs to the side of complaint: every
// `image:` key it sees must have a pinned value on its line; local builds, included files, merged keys written with
// escapes and explicit keys are listed as loose, also where they stand in a comment-free block of other text.
ComposeImages scan_compose_images(std::string_view docker_compose_file);

// The members of app-compose.json that decide what runs.
struct AppCompose {
  std::string name, runner;
  std::string docker_compose_file;            // empty when there is none
  std::vector<std::string> allowed_envs;      // the operator sets them; they are not measured
  bool pre_launch_script = false, init_script = false, bash_script = false;
};
// At most 1 MiB of JSON. Errors are kBadReport.
Result<AppCompose> parse_app_compose(std::string_view text);

}  // namespace cloister::verify
