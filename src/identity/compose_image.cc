#include "identity/compose_image.h"

#include "codec/yaml.h"
#include "evidence/json_reader.h"

namespace cloister::identity {

std::optional<PinnedImage> pinned_image(std::string_view text, std::string_view service) {
  const auto root = codec::parse_yaml(text);
  if (!root || root->find("include") != nullptr) return std::nullopt;
  const codec::YamlNode* services = root->find("services");
  if (services == nullptr || services->find("<<") != nullptr) return std::nullopt;
  const codec::YamlNode* found = services->find(service);
  if (found == nullptr) return std::nullopt;
  // With these another definition or a build may replace the image that is named here.
  for (const char* other : {"<<", "build", "extends", "provider"}) {
    if (found->find(other) != nullptr) return std::nullopt;
  }
  const codec::YamlNode* image = found->find("image");
  if (image == nullptr || !image->is_scalar()) return std::nullopt;
  const std::size_t at = image->text.find('@');
  if (at == std::string::npos || !evidence::parse_digest(image->text.substr(at + 1))) return std::nullopt;
  return PinnedImage{image->text, image->text.substr(at + 1)};
}

}  // namespace cloister::identity
