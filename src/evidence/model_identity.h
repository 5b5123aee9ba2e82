// The identity of a model, `cloister.model.v1` (docs/spec/model-identity.md): what exactly answers, by digests:
// weights, tokenizer, chat template, engine and the settings that can change a text. SHA-256 of its canonical form is
// the `model_digest` of statements, receipts and measured events; a publisher calls the same document a manifest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

inline constexpr std::string_view kModelSchema = "cloister.model.v1";

struct ModelEngine {
  std::string name;                    // "llama.cpp", "echo", "upstream"
  std::string cloister;                // the version of this program, whose prompts and templates also shape the text
  std::optional<std::string> commit;   // of the engine's source
  std::optional<std::string> backend;  // "cpu", "cuda"
  std::optional<std::string> instructions;  // the CPU instructions that it was built for: "x86-64-v3"

  bool operator==(const ModelEngine&) const = default;
};

struct WeightFile {
  std::string name;        // without folders, or relative to the model's folder
  std::uint64_t size = 0;  // bytes
  ByteArray<32> digest{};  // root of its tree (file_tree.h)

  bool operator==(const WeightFile&) const = default;
};

struct Weights {
  ByteArray<32> digest{};  // weights_digest() of the files
  std::vector<WeightFile> files;
  // True when its pages were locked in memory before they were hashed, and stay locked: the computation uses the hashed
  // bytes, also where the disk belongs to somebody else.
  bool locked = false;

  bool operator==(const Weights&) const = default;
};

// What is only claimed, and by whom: ACI's form of claims.
struct ModelClaim {
  std::string status;  // "asserted", "refuted", "unknown"
  std::string source;  // "hardware_proven", "verifier_derived", "provider_asserted", "operator_asserted"
  std::string reason;
  std::optional<std::string> digest;  // "sha256:<hex>" of the subject of the claim, where there is one

  bool operator==(const ModelClaim&) const = default;
};

struct ModelIdentity {
  std::string id;  // the model's name on the API
  ModelEngine engine;
  std::optional<Weights> weights;
  std::optional<ByteArray<32>> tokenizer_digest;
  std::optional<ByteArray<32>> chat_template_digest;  // SHA-256 of the template in force
  std::optional<std::string> architecture;            // "llama"
  std::optional<std::string> quantization;            // "Q4_1"
  std::optional<std::uint64_t> parameters;
  std::optional<std::uint64_t> context_length;  // tokens that a request may use
  std::map<std::string, Json> settings;         // integers, texts and booleans
  std::map<std::string, ModelClaim> claims;     // for engines that others run

  bool operator==(const ModelIdentity&) const = default;
};

// The root of the tree whose entries are the files' digests, 32 bytes each.
ByteArray<32> weights_digest(const std::vector<WeightFile>& files);

// Replaces text outside printable ASCII, and `%`, by %XX of its bytes: the document holds nothing else. Cut to 256 bytes.
std::string identity_text(std::string_view text);

// Writes every member, null where there is nothing; `claims` only where there are any.
Json to_json(const ModelIdentity& identity);
// Strict: no additional or missing member, integers, booleans and printable ASCII only, at most 4,096 files, 64
// settings and 16 claims, and a `weights.digest` that matches its files. to_json() of the result has the same canonical
// form. Errors are kBadModelIdentity.
Result<ModelIdentity> parse_model_identity(const Json& object);

}  // namespace cloister::evidence
