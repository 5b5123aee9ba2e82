#include "verify/model_manifest.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using evidence::ModelIdentity;
using evidence::Weights;
using Digest = std::optional<ByteArray<32>>;

constexpr std::string_view kDocument = "model.document";

std::string text_of(const Digest& digest) { return digest ? evidence::digest_text(*digest) : "null"; }
std::string text_of(const std::optional<std::string>& text) { return text.value_or("null"); }
std::string text_of(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "null"; }

std::string text_of(const evidence::ModelEngine& engine) {
  return engine.name + " commit=" + text_of(engine.commit) + " backend=" + text_of(engine.backend) +
         " instructions=" + text_of(engine.instructions) + " cloister=" + engine.cloister;
}

std::string text_of(const std::optional<Weights>& weights) {
  return weights ? evidence::digest_text(weights->digest) + " in " + std::to_string(weights->files.size()) + " files"
                 : "null";
}

// Names do not matter: a file may have any name.
bool same_content(const evidence::WeightFile& a, const evidence::WeightFile& b) {
  return a.size == b.size && a.digest == b.digest;
}

Check check_weights(const std::optional<Weights>& expected, const std::optional<Weights>& actual) {
  const std::string id = "model.weights";
  if (!expected || !actual) return compared(id, text_of(expected), text_of(actual), "one of both has no weights");
  if (expected->files.size() == actual->files.size()) {
    for (std::size_t i = 0; i < expected->files.size(); ++i) {
      if (same_content(expected->files[i], actual->files[i])) continue;
      return failed(
          id,
          "file " + std::to_string(i + 1) + " of " + std::to_string(expected->files.size()) + ", " +
              actual->files[i].name + ", is another",
          evidence::digest_text(expected->files[i].digest) + ", " + std::to_string(expected->files[i].size) + " bytes",
          evidence::digest_text(actual->files[i].digest) + ", " + std::to_string(actual->files[i].size) + " bytes");
    }
  }
  return compared(id, text_of(expected), text_of(actual), "other weights");
}

// Locked memory that was not asked for is accepted.
Check check_memory(const std::optional<Weights>& expected, const std::optional<Weights>& actual) {
  const std::string id = "model.memory";
  if (!expected || !actual) return not_applicable(id, "no weights are in question");
  const auto word = [](bool locked) { return std::string(locked ? "locked" : "paged"); };
  if (actual->locked || !expected->locked) return passed(id, word(actual->locked));
  return failed(id, "the pages of the weights may be read again from a disk that is not the TEE's",
                word(expected->locked), word(actual->locked));
}

std::string text_of_setting(const std::map<std::string, Json>& settings, const std::string& name) {
  const auto found = settings.find(name);
  return name + "=" + (found == settings.end() ? "none" : codec::write_json(found->second));
}

// Shows the settings that differ.
Check check_settings(const ModelIdentity& expected, const ModelIdentity& actual) {
  std::set<std::string> names;
  for (const auto& [name, value] : expected.settings) names.insert(name);
  for (const auto& [name, value] : actual.settings) names.insert(name);
  std::string left, right;
  for (const std::string& name : names) {
    const std::string a = text_of_setting(expected.settings, name), b = text_of_setting(actual.settings, name);
    if (a == b) continue;
    left += (left.empty() ? "" : " ") + a;
    right += (right.empty() ? "" : " ") + b;
  }
  if (left.empty()) return passed("model.settings", std::to_string(names.size()) + " settings");
  return failed("model.settings", "it has other settings", left, right);
}

std::string text_of(const std::map<std::string, evidence::ModelClaim>& claims) {
  std::string out;
  for (const auto& [name, claim] : claims) {
    out += (out.empty() ? "" : ", ") + name + " " + claim.status + " by " + claim.source;
  }
  return out.empty() ? "none" : out;
}

Check check_claims(const ModelIdentity& expected, const ModelIdentity& actual) {
  const std::string id = "model.claims";
  if (expected.claims == actual.claims && actual.claims.empty()) return not_applicable(id, "everything is measured");
  if (expected.claims == actual.claims) return passed(id, text_of(actual.claims));
  return failed(id, "the claims about it differ, or other parties make them", text_of(expected.claims),
                text_of(actual.claims));
}

void skip_members(Verdict& verdict, const std::string& why) {
  skip_all(verdict,
           {"model.id", "model.engine", "model.weights", "model.memory", "model.tokenizer", "model.chat_template",
            "model.architecture", "model.quantization", "model.context", "model.settings", "model.claims"},
           why);
}

}  // namespace

void compare_models(const ModelIdentity& expected, const ModelIdentity& actual, Verdict& verdict) {
  verdict.add(compared("model.id", expected.id, actual.id, "another name"));
  verdict.add(compared("model.engine", text_of(expected.engine), text_of(actual.engine), "another engine"));
  verdict.add(check_weights(expected.weights, actual.weights));
  verdict.add(check_memory(expected.weights, actual.weights));
  verdict.add(compared("model.tokenizer", text_of(expected.tokenizer_digest), text_of(actual.tokenizer_digest),
                       "another tokenizer"));
  verdict.add(compared("model.chat_template", text_of(expected.chat_template_digest),
                       text_of(actual.chat_template_digest), "another chat template"));
  const auto kind = [](const ModelIdentity& model) {
    return text_of(model.architecture) + " of " + text_of(model.parameters) + " parameters";
  };
  verdict.add(compared("model.architecture", kind(expected), kind(actual), "a model of another kind or size"));
  verdict.add(compared("model.quantization", text_of(expected.quantization), text_of(actual.quantization),
                       "another precision"));
  verdict.add(compared("model.context", text_of(expected.context_length), text_of(actual.context_length),
                       "another context length"));
  verdict.add(check_settings(expected, actual));
  verdict.add(check_claims(expected, actual));
}

void check_model_manifest(const Json& document, const Digest& bound, const Policy& policy, Verdict& verdict) {
  if (!policy.service.model_manifest) return;
  const ModelIdentity& expected = *policy.service.model_manifest;
  const std::string id(kDocument);
  if (document.is_null()) {
    const auto digest = evidence::document_digest(evidence::to_json(expected));
    if (bound && digest && *bound == *digest) {
      verdict.add(passed(id, text_of(bound), "the digest is that of the manifest"));
      return compare_models(expected, expected, verdict);
    }
    verdict.add(skipped(id, "the report does not tell what the model is; the quote names " + text_of(bound)));
    return skip_members(verdict, "the report does not tell what the model is");
  }
  const auto digest = evidence::document_digest(document);
  if (!digest || !bound || *digest != *bound) {
    verdict.add(failed(id, "no quote binds this description of a model", text_of(bound),
                       digest ? text_of(Digest(*digest)) : digest.error().message));
    return skip_members(verdict, "the description of the model is bound by nothing");
  }
  const auto actual = evidence::parse_model_identity(document);
  if (!actual) {
    verdict.add(failed(id, actual.error().message));
    return skip_members(verdict, "the description of the model could not be read");
  }
  verdict.add(passed(id, text_of(bound)));
  compare_models(expected, *actual, verdict);
}

void require_model(const Policy& policy, Verdict& verdict) {
  if (!policy.service.model_manifest) return;
  if (verdict.find(kDocument) != nullptr) return;
  verdict.add(
      skipped(std::string(kDocument), "there is a manifest, and nothing here that a quote binds names a model"));
}

}  // namespace cloister::verify
