#include "evidence/model_identity.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"
#include "evidence/file_tree.h"
#include "evidence/json_reader.h"
#include "evidence/merkle_tree.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadModelIdentity;
constexpr std::size_t kMostText = 256;
constexpr std::size_t kMostReason = 512;
constexpr std::size_t kMostFiles = 4096;
constexpr std::size_t kMostSettings = 64;
constexpr std::size_t kMostClaims = 16;
constexpr std::string_view kLocked = "locked", kPaged = "paged";
constexpr std::array<std::string_view, 3> kStatuses = {"asserted", "refuted", "unknown"};
constexpr std::array<std::string_view, 4> kSources = {"hardware_proven", "verifier_derived", "provider_asserted",
                                                      "operator_asserted"};

bool is_plain(std::string_view text, std::size_t most) {
  return text.size() <= most && std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// An object with exactly these members: a member that may be null is present as null, so that one identity has one form.
Result<void> exactly(const JsonReader& reader, const Json& object, std::initializer_list<std::string_view> names) {
  TRY_VOID(reader.only(names));
  for (const std::string_view name : names) {
    if (!object.contains(name)) return reader.bad(name, "it is missing");
  }
  return {};
}

Result<std::string> plain_text(const JsonReader& reader, std::string_view name, std::size_t most = kMostText) {
  TRY(text, reader.text(name));
  if (text.empty() || !is_plain(text, most)) {
    return reader.bad(name, "expected 1 to " + std::to_string(most) + " characters of printable ASCII");
  }
  return text;
}

Result<std::optional<std::string>> optional_plain(const JsonReader& reader, std::string_view name) {
  if (reader.find(name) == nullptr) return std::optional<std::string>();
  TRY(text, plain_text(reader, name));
  return std::optional<std::string>(std::move(text));
}

Result<std::optional<std::uint64_t>> optional_count(const JsonReader& reader, std::string_view name) {
  if (reader.find(name) == nullptr) return std::optional<std::uint64_t>();
  TRY(number, reader.whole_number(name));
  return std::optional<std::uint64_t>(static_cast<std::uint64_t>(number));
}

Result<ModelEngine> read_engine(const Json& object) {
  const JsonReader reader(object, kCode, "engine.");
  TRY_VOID(exactly(reader, object, {"name", "cloister", "commit", "backend", "instructions"}));
  ModelEngine engine;
  TRY(name, plain_text(reader, "name"));
  engine.name = std::move(name);
  TRY(cloister, plain_text(reader, "cloister"));
  engine.cloister = std::move(cloister);
  TRY(commit, optional_plain(reader, "commit"));
  engine.commit = std::move(commit);
  TRY(backend, optional_plain(reader, "backend"));
  engine.backend = std::move(backend);
  TRY(instructions, optional_plain(reader, "instructions"));
  engine.instructions = std::move(instructions);
  return engine;
}

Result<WeightFile> read_file(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  TRY_VOID(exactly(reader, object, {"name", "size", "digest"}));
  WeightFile file;
  TRY(name, plain_text(reader, "name"));
  file.name = std::move(name);
  TRY(size, reader.whole_number("size"));
  file.size = static_cast<std::uint64_t>(size);
  TRY(digest, reader.digest("digest"));
  file.digest = digest;
  return file;
}

Result<Weights> read_weights(const Json& object) {
  const JsonReader reader(object, kCode, "weights.");
  TRY_VOID(exactly(reader, object, {"tree", "digest", "files", "memory"}));
  Weights weights;
  TRY(tree, reader.text("tree"));
  if (tree != kFileTreeName) return reader.bad("tree", "expected " + std::string(kFileTreeName));
  TRY(memory, reader.text("memory"));
  if (memory != kLocked && memory != kPaged) return reader.bad("memory", "expected locked or paged");
  weights.locked = memory == kLocked;
  TRY(files, reader.array("files", kMostFiles));
  if (files->empty()) return reader.bad("files", "expected at least one");
  for (const Json& element : *files) {
    TRY(file, read_file(element, "weights.files[" + std::to_string(weights.files.size()) + "]."));
    weights.files.push_back(std::move(file));
  }
  TRY(digest, reader.digest("digest"));
  if (digest != weights_digest(weights.files))
    return reader.bad("digest", "it is not the digest of the files next to it");
  weights.digest = digest;
  return weights;
}

Result<std::map<std::string, Json>> read_settings(const Json& object) {
  const JsonReader reader(object, kCode, "settings.");
  std::map<std::string, Json> out;
  if (object.size() > kMostSettings) return fail(kCode, "`settings` has more than 64 members");
  for (const auto& [name, value] : object.items()) {
    if (!is_name(name)) return fail(kCode, "`settings` has a member whose name is not 1 to 64 of a-z, 0-9 and _");
    if (value.is_string()) {
      TRY(text, plain_text(reader, name));
      static_cast<void>(text);
    } else if (!value.is_boolean()) {
      TRY(number, reader.whole_number(name));
      static_cast<void>(number);
    }
    out.emplace(name, value);
  }
  return out;
}

template <std::size_t N>
Result<std::string> word(const JsonReader& reader, std::string_view name,
                         const std::array<std::string_view, N>& words) {
  TRY(text, reader.text(name));
  if (std::find(words.begin(), words.end(), text) == words.end())
    return reader.bad(name, "it is none of the words it may be");
  return text;
}

Result<ModelClaim> read_claim(const Json& object, const std::string& where) {
  const JsonReader reader(object, kCode, where);
  TRY_VOID(reader.is_object());
  TRY_VOID(exactly(reader, object, {"status", "source", "reason", "digest"}));
  ModelClaim claim;
  TRY(status, word(reader, "status", kStatuses));
  claim.status = std::move(status);
  TRY(source, word(reader, "source", kSources));
  claim.source = std::move(source);
  TRY(reason, plain_text(reader, "reason", kMostReason));
  claim.reason = std::move(reason);
  TRY(digest, reader.optional_digest("digest"));
  if (digest) claim.digest = digest_text(*digest);
  return claim;
}

Result<void> read_claims(const JsonReader& reader, ModelIdentity& out) {
  TRY(object, reader.object("claims"));
  // Without a claim the member is left out, so that one identity has one form.
  if (object->empty() || object->size() > kMostClaims) return reader.bad("claims", "expected 1 to 16 of them");
  for (const auto& [name, value] : object->items()) {
    if (!is_name(name)) return reader.bad("claims", "a name is not 1 to 64 of a-z, 0-9 and _");
    TRY(claim, read_claim(value, "claims." + name + "."));
    out.claims.emplace(name, std::move(claim));
  }
  return {};
}

Result<void> read_members(const JsonReader& reader, ModelIdentity& out) {
  TRY(id, plain_text(reader, "id"));
  out.id = std::move(id);
  TRY(engine_object, reader.object("engine"));
  TRY(engine, read_engine(*engine_object));
  out.engine = std::move(engine);
  TRY(weights_object, reader.optional_object("weights"));
  if (weights_object != nullptr) {
    TRY(weights, read_weights(*weights_object));
    out.weights = std::move(weights);
  }
  TRY(tokenizer, reader.optional_digest("tokenizer_digest"));
  out.tokenizer_digest = tokenizer;
  TRY(chat_template, reader.optional_digest("chat_template_digest"));
  out.chat_template_digest = chat_template;
  TRY(architecture, optional_plain(reader, "architecture"));
  out.architecture = std::move(architecture);
  TRY(quantization, optional_plain(reader, "quantization"));
  out.quantization = std::move(quantization);
  TRY(parameters, optional_count(reader, "parameters"));
  out.parameters = parameters;
  TRY(context_length, optional_count(reader, "context_length"));
  out.context_length = context_length;
  TRY(settings_object, reader.object("settings"));
  TRY(settings, read_settings(*settings_object));
  out.settings = std::move(settings);
  return {};
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json digest_or_null(const std::optional<ByteArray<32>>& digest) { return digest ? Json(digest_text(*digest)) : Json(); }

Json weights_json(const Weights& weights) {
  Json files = Json::array();
  for (const WeightFile& file : weights.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"digest", digest_text(file.digest)}});
  }
  return {{"tree", kFileTreeName},
          {"digest", digest_text(weights.digest)},
          {"files", std::move(files)},
          {"memory", weights.locked ? kLocked : kPaged}};
}

}  // namespace

ByteArray<32> weights_digest(const std::vector<WeightFile>& files) {
  std::vector<ByteArray<32>> leaves;
  for (const WeightFile& file : files) leaves.push_back(merkle_leaf(file.digest));
  return merkle_root(leaves);
}

std::string identity_text(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = c >= ' ' && c <= '~' && c != '%';
    if (out.size() + (plain ? 1 : 3) > kMostText) break;
    if (plain) {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return out;
}

Json to_json(const ModelIdentity& identity) {
  const ModelEngine& engine = identity.engine;
  Json out = {{"schema", kModelSchema},
              {"id", identity.id},
              {"engine",
               {{"name", engine.name},
                {"cloister", engine.cloister},
                {"commit", or_null(engine.commit)},
                {"backend", or_null(engine.backend)},
                {"instructions", or_null(engine.instructions)}}},
              {"weights", identity.weights ? weights_json(*identity.weights) : Json()},
              {"tokenizer_digest", digest_or_null(identity.tokenizer_digest)},
              {"chat_template_digest", digest_or_null(identity.chat_template_digest)},
              {"architecture", or_null(identity.architecture)},
              {"quantization", or_null(identity.quantization)},
              {"parameters", or_null(identity.parameters)},
              {"context_length", or_null(identity.context_length)},
              {"settings", Json::object()}};
  for (const auto& [name, value] : identity.settings) out["settings"][name] = value;
  for (const auto& [name, claim] : identity.claims) {
    out["claims"][name] = {{"status", claim.status},
                           {"source", claim.source},
                           {"reason", claim.reason},
                           {"digest", or_null(claim.digest)}};
  }
  return out;
}

Result<ModelIdentity> parse_model_identity(const Json& object) {
  const JsonReader reader(object, kCode);
  TRY_VOID(reader.is_object());
  const bool has_claims = object.contains("claims");
  Json without_claims = object;
  without_claims.erase("claims");
  TRY_VOID(exactly(JsonReader(without_claims, kCode), without_claims,
                   {"schema", "id", "engine", "weights", "tokenizer_digest", "chat_template_digest", "architecture",
                    "quantization", "parameters", "context_length", "settings"}));
  TRY(schema, reader.text("schema"));
  if (schema != kModelSchema) return reader.bad("schema", "expected " + std::string(kModelSchema));
  ModelIdentity identity;
  TRY_VOID(read_members(reader, identity));
  if (has_claims) TRY_VOID(read_claims(reader, identity));
  return identity;
}

}  // namespace cloister::evidence
