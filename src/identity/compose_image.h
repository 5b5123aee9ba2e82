// Finds which image a service of the application's compose text runs, where the text pins the image by digest.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cloister::identity {

struct PinnedImage {
  std::string reference;  // "vllm/vllm-openai@sha256:..."
  std::string digest;     // "sha256:<64 hex>"
};

// The image of the service of this name in a docker-compose file (codec/yaml.h). A service that is built, extended or
// merged with something gives no answer; neither does a file that includes others, nor a text that the reader refuses.
std::optional<PinnedImage> pinned_image(std::string_view docker_compose_file, std::string_view service);

}  // namespace cloister::identity
