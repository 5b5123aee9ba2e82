// Which image a service of the application's compose text runs, where the text pins it by digest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::serve {

struct PinnedImage {
  std::string reference;   // "vllm/vllm-openai@sha256:..."
  std::string digest;      // "sha256:<64 hex>"
};

// Of the service of this name in a docker-compose file in block style. This is no YAML parser: it looks for the service's line
// under `services:` and for the one `image:` line below it. Whatever it does not understand, or finds twice, is no answer.
std::optional<PinnedImage> pinned_image(std::string_view docker_compose_file, std::string_view service);

}  // namespace cloister::serve
