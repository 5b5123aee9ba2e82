#include "verify/boot/measurement_list.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kFormat = "cloister.measurements.v1";
constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kMostEntries = 4096;

Error bad(const std::string& what) { return fail(ErrorCode::kBadMeasurementList, "measurement list: " + what); }

struct Field {
  const char* name;
  std::size_t size_bytes;
  bool required;
};
constexpr Field kFields[] = {{"mr_td", 48, true},        {"rtmr0", 48, true},  {"rtmr1", 48, true},
                             {"rtmr2", 48, true},        {"rtmr3", 48, false}, {"os_image_hash", 32, false},
                             {"compose_hash", 32, false}};

bool is_signed_by(const std::string& key, ByteView text, ByteView signature) {
  const std::size_t colon = key.find(':');
  const std::string kind = key.substr(0, colon);
  const Result<Bytes> point =
      from_hex(colon == std::string::npos ? std::string_view("-") : std::string_view(key).substr(colon + 1));
  if (!point) return false;
  if (kind == "ed25519") return crypto::verify_ed25519(*point, text, signature).has_value();
  if (kind == "p256") return crypto::verify_ecdsa(crypto::Curve::kP256, *point, text, signature).has_value();
  return false;
}

Result<void> check_signature(std::string_view text, std::string_view signature_text,
                             const std::set<std::string>& keys) {
  while (signature_text.ends_with('\n') || signature_text.ends_with('\r')) signature_text.remove_suffix(1);
  const auto signature = from_hex_exactly<64>(signature_text);
  if (!signature) return bad("signature: " + signature.error().message);
  for (const std::string& key : keys) {
    if (is_signed_by(key, as_bytes(text), *signature)) return {};
  }
  return fail(ErrorCode::kBadSignature, "measurement list: none of the " + std::to_string(keys.size()) +
                                            " keys that the policy names has signed it");
}

Result<UnixSeconds> read_time(const Json& object, const char* name) {
  const Result<std::string> text = codec::string_member(object, name);
  if (!text) return bad(text.error().message);
  const Result<UnixSeconds> time = from_rfc3339(*text);
  if (!time) return bad(std::string(name) + ": " + time.error().message);
  return time;
}

Result<ExpectedBoot> read_entry(const Json& object) {
  if (!object.is_object()) return bad("expected objects in measurements");
  ExpectedBoot entry;
  const Result<std::string> name = codec::string_member(object, "name");
  if (!name) return bad(name.error().message);
  entry.name = *name;
  for (const auto& [member, value] : object.items()) {
    if (member == "name") continue;
    const auto* field = std::find_if(std::begin(kFields), std::end(kFields),
                                     [&, wanted = member](const Field& f) { return wanted == f.name; });
    // An unknown member may be a condition that this version would ignore.
    if (field == std::end(kFields)) return bad(entry.name + ": unknown member " + member);
    const Result<Bytes> bytes =
        value.is_string() ? from_hex(value.get_ref<const std::string&>()) : Result<Bytes>(bad("expected a string"));
    if (!bytes || bytes->size() != field->size_bytes) {
      return bad(entry.name + ": " + member + " must be " + std::to_string(2 * field->size_bytes) + " hex characters");
    }
    entry.values[member] = to_hex(*bytes);
  }
  for (const Field& field : kFields) {
    if (field.required && !entry.values.contains(field.name)) return bad(entry.name + ": lacks " + field.name);
  }
  return entry;
}

Result<MeasurementList> read_list(std::string_view text) {
  const Result<Json> object = codec::parse_json(text, {kMostBytes, 4, kMostEntries * 16});
  if (!object) return bad(object.error().message);
  const Result<std::string> format = codec::string_member(*object, "format");
  if (!format) return bad(format.error().message);
  if (*format != kFormat) return bad("expected the format " + std::string(kFormat) + ", found " + *format);
  if (object->size() != 4) return bad("expected the members format, issued, expires and measurements only");
  MeasurementList list;
  TRY(issued, read_time(*object, "issued"));
  TRY(expires, read_time(*object, "expires"));
  list.issued = issued;
  list.expires = expires;
  const Result<const Json*> entries = codec::array_member(*object, "measurements");
  if (!entries) return bad(entries.error().message);
  if ((*entries)->size() > kMostEntries) return bad("more than " + std::to_string(kMostEntries) + " entries");
  for (const Json& element : **entries) {
    TRY(entry, read_entry(element));
    list.entries.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

Result<MeasurementList> open_measurement_list(std::string_view text, std::string_view signature,
                                              const std::set<std::string>& keys, UnixSeconds time) {
  if (text.size() > kMostBytes) return bad("larger than 1 MiB");
  TRY_VOID(check_signature(text, signature, keys));
  TRY(list, read_list(text));
  if (time < list.issued || time >= list.expires) {
    return bad("good from " + to_rfc3339(list.issued) + " until " + to_rfc3339(list.expires) + ", judged at " +
               to_rfc3339(time));
  }
  return list;
}

}  // namespace cloister::verify
