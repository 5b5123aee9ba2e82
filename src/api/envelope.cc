#include "api/envelope.h"

#include "codec/json.h"

namespace cloister::api {
namespace {

const Json* member(const Json& object, const char* name) {
  auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

}  // namespace

Result<Envelope> read_envelope(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::kBadJson, "the request body is empty; a JSON object is expected");
  TRY(body, codec::parse_json(text));
  if (!body.is_object()) {
    return fail(ErrorCode::kBadJson, std::string("the request body must be a JSON object, got ") + body.type_name());
  }
  Envelope envelope;
  if (const Json* model = member(body, "model")) {
    if (!model->is_string()) {
      return fail(ErrorCode::kInvalidRequest, std::string("'model' must be a string, got ") + model->type_name(),
                  "model");
    }
    envelope.model = model->get<std::string>();
  }
  if (const Json* stream = member(body, "stream")) {
    if (!stream->is_boolean()) {
      return fail(ErrorCode::kInvalidRequest, std::string("'stream' must be a boolean, got ") + stream->type_name(),
                  "stream");
    }
    envelope.stream = stream->get<bool>();
  }
  envelope.json = std::move(body);
  return envelope;
}

}  // namespace cloister::api
