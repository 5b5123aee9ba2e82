#include "verify/boot/key_provider.h"

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::verify {

std::string KeyProvider::text() const { return name + ":" + to_hex(id); }

Result<KeyProvider> parse_key_provider(ByteView payload) {
  TRY(object, codec::parse_json(as_text(payload), {4096, 2, 16}));
  KeyProvider out;
  TRY(name, codec::string_member(object, "name"));
  TRY(id_text, codec::string_member(object, "id"));
  TRY(id, from_hex(id_text));
  out.name = std::move(name);
  out.id = std::move(id);
  return out;
}

std::optional<KeyProvider> key_provider_of(const BootLog& log) {
  const auto payload = log.payload("key-provider");
  if (!payload) return std::nullopt;
  Result<KeyProvider> provider = parse_key_provider(*payload);
  if (!provider) return std::nullopt;
  return *std::move(provider);
}

}  // namespace cloister::verify
