#include "store/exchange/sealed_line.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "store/exchange/export_line.h"

namespace cloister::store {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;
constexpr std::string_view kForm = "cloister.sealed.v1";
constexpr std::string_view kBegin = R"({"form":"cloister.sealed.v1",)";
constexpr std::string_view kAssociated = "cloister.export.v1";

}  // namespace

std::string seal_export_line(std::string_view line, const StoreKeys& keys) {
  const std::string sealed = keys.seal(as_bytes(kAssociated), as_bytes(line));
  return std::string(kBegin) + R"("sealed":")" + to_base64(as_bytes(sealed)) + R"("})";
}

// The line must have this program's own spelling: other spellings of the same object are no sealed line.
bool is_sealed_export_line(std::string_view line) { return line.starts_with(kBegin); }

Result<std::string> open_export_line(std::string_view line, const StoreKeys& keys) {
  Result<Json> json = codec::parse_json(line, {.max_bytes = kMostSealedLineBytes, .max_depth = 2, .max_values = 4});
  if (!json) return fail(kCode, json.error().message);
  const evidence::JsonReader reader(*json, kCode);
  TRY_VOID(reader.only({"form", "sealed"}));
  TRY(form, reader.text("form"));
  if (form != kForm) return reader.bad("form", "expected " + std::string(kForm));
  TRY(text, reader.text("sealed"));
  const Result<Bytes> sealed = from_base64(text);
  if (!sealed) return reader.bad("sealed", sealed.error().message);
  TRY(plain, keys.open(as_bytes(kAssociated), as_text(*sealed)));
  if (!plain) {
    return fail(ErrorCode::kStoreFailed,
                "is encrypted with the key " + key_text(ByteView(*sealed).first(sizeof(KeyId))) +
                    ", and that key is not available: the newest is " + key_text(keys.newest()));
  }
  return *std::move(plain);
}

}  // namespace cloister::store
