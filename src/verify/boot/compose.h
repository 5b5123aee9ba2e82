// Checks which container images in the application's compose text are pinned by digest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::verify {

struct ComposeImages {
  std::size_t pinned = 0;
  // Images without `@sha256:<64 hex>`, and what may run code that no service's image fixes, 32 at most: "line 4: image: ubuntu".
  std::vector<std::string> loose;
};

// Parses a docker-compose file as YAML (codec/yaml.h). Every service needs an `image` by digest, also where mappings are merged into
// it. Members at the top and of a service that are not known to take no code from elsewhere are loose (build, extends, include, models,
// provider, and whatever a later version may add); so is a text that is not strict YAML, or has no services. An empty text has neither.
ComposeImages read_compose_images(std::string_view docker_compose_file);

// The members of app-compose.json that decide what runs.
struct AppCompose {
  std::string name, runner;
  std::string docker_compose_file;        // empty when there is none
  std::vector<std::string> allowed_envs;  // the operator sets their values, which are not measured
  bool pre_launch_script = false, init_script = false, bash_script = false;
};
// Accepts at most 1 MiB of JSON. Errors are kBadReport.
Result<AppCompose> parse_app_compose(std::string_view text);

}  // namespace cloister::verify
