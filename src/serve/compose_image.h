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

// Of the service of this name in a docker-compose file (codec/yaml.h). A service that is built, extended or merged with something, and a file
// that includes others, is no answer, nor is a text that is not read.
std::optional<PinnedImage> pinned_image(std::string_view docker_compose_file, std::string_view service);

}  // namespace cloister::serve
