#include "evidence/model_identity.h"

#include <gtest/gtest.h>

#include <functional>

#include "codec/jcs.h"
#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::evidence {
namespace {

ModelIdentity sample() {
  ModelIdentity identity;
  identity.id = "demo";
  identity.engine = {"llama.cpp", "0.1.0", "de3ff815", "cpu", "x86-64-v3"};
  WeightFile first{"demo-00001-of-00002.gguf", 1048577, {}}, second{"demo-00002-of-00002.gguf", 7, {}};
  first.digest.fill(1);
  second.digest.fill(2);
  identity.weights = Weights{weights_digest({first, second}), {first, second}, true};
  identity.tokenizer_digest.emplace().fill(3);
  identity.chat_template_digest.emplace().fill(4);
  identity.architecture = "llama";
  identity.quantization = "Q4_1";
  identity.parameters = 134515008;
  identity.context_length = 4096;
  identity.settings = {{"parallel", 16}, {"flash_attention", "auto"}, {"share_prompt_cache", false}};
  return identity;
}

TEST(ModelIdentity, ComesBackAsItWasWritten) {
  ModelIdentity identity = sample();
  EXPECT_EQ(*parse_model_identity(to_json(identity)), identity);
  identity.claims["weights"] = {"asserted", "operator_asserted", "measured here, loaded there", std::nullopt};
  identity.claims["serving_software"] = {"asserted", "verifier_derived", "an image", digest_text({})};
  identity.weights->locked = false;
  EXPECT_EQ(*parse_model_identity(to_json(identity)), identity);
  ModelIdentity least;
  least.id = "echo";
  least.engine = {"echo", "0.1.0", {}, {}, {}};
  EXPECT_EQ(*parse_model_identity(to_json(least)), least);
}

// Statements, receipts and events name this digest: no later change may give another document for it.
TEST(ModelIdentity, ItsDigestIsThatOfTheCanonicalForm) {
  ModelIdentity least;
  least.id = "echo";
  least.engine = {"echo", "0.1.0", {}, {}, {}};
  EXPECT_EQ(
      *codec::write_jcs(to_json(least)),
      R"({"architecture":null,"chat_template_digest":null,"context_length":null,"engine":{"backend":null,)"
      R"("cloister":"0.1.0","commit":null,"instructions":null,"name":"echo"},"id":"echo","parameters":null,)"
      R"("quantization":null,"schema":"cloister.model.v1","settings":{},"tokenizer_digest":null,"weights":null})");
  // The digest comes from printf '%s' TEXT | sha256sum.
  EXPECT_EQ(digest_text(*document_digest(to_json(least))),
            "sha256:44105741318dff570dd4f696740bfb6f0e6b7e4167f1829aa56222826a56b554");
}

// Computed by hand: a file's leaf is SHA-256 of 0x00 and its digest, the node over two is SHA-256 of 0x01 and both.
TEST(ModelIdentity, TheDigestOfTheWeightsIsATreeOverTheFiles) {
  const ModelIdentity identity = sample();
  EXPECT_EQ(digest_text(weights_digest({identity.weights->files[0]})),
            "sha256:dcffe786ded16d283c663846ad0c4ff26558fccde36ca9d30b2ea19eade9fc0e");
  EXPECT_EQ(digest_text(identity.weights->digest),
            "sha256:3a066e0f40c6a1981ebfa60d2411625d0517ae22c2fc8c7c1784ff8a75c78565");
}

TEST(ModelIdentity, RefusesWhatIsNotExactlyOfItsForm) {
  const std::vector<std::pair<const char*, std::function<void(Json&)>>> changes = {
      {"no object", [](Json& json) { json = Json::array(); }},
      {"another schema", [](Json& json) { json["schema"] = "cloister.model.v2"; }},
      {"a member too many", [](Json& json) { json["verified"] = true; }},
      {"a member too few", [](Json& json) { json.erase("architecture"); }},
      {"no id", [](Json& json) { json["id"] = nullptr; }},
      {"an empty id", [](Json& json) { json["id"] = ""; }},
      {"an id that is not ASCII", [](Json& json) { json["id"] = "modèle"; }},
      {"a control character", [](Json& json) { json["id"] = "a\nb"; }},
      {"a long id", [](Json& json) { json["id"] = std::string(257, 'a'); }},
      {"a member too many of the engine", [](Json& json) { json["engine"]["url"] = "x"; }},
      {"a fraction", [](Json& json) { json["context_length"] = 4096.0; }},
      {"a negative number", [](Json& json) { json["parameters"] = -1; }},
      {"an upper-case digest", [](Json& json) { json["tokenizer_digest"] = "sha256:" + std::string(64, 'A'); }},
      {"another tree", [](Json& json) { json["weights"]["tree"] = "blake3"; }},
      {"no files", [](Json& json) { json["weights"]["files"] = Json::array(); }},
      {"memory of an unknown kind", [](Json& json) { json["weights"]["memory"] = "perhaps"; }},
      {"a digest of other files", [](Json& json) { json["weights"]["files"].erase(1); }},
      {"files in another order",
       [](Json& json) { std::swap(json["weights"]["files"][0], json["weights"]["files"][1]); }},
      {"a setting that is a list", [](Json& json) { json["settings"]["parallel"] = Json::array({1}); }},
      {"a setting that is null", [](Json& json) { json["settings"]["parallel"] = nullptr; }},
      {"a setting with a fraction", [](Json& json) { json["settings"]["rope"] = 0.5; }},
      {"a setting of another alphabet", [](Json& json) { json["settings"]["Rope"] = 1; }},
      {"65 settings",
       [](Json& json) {
         for (int i = 0; i < 65; ++i) json["settings"]["s" + std::to_string(i)] = i;
       }},
      {"claims without a claim", [](Json& json) { json["claims"] = Json::object(); }},
      {"a claim of an unknown source",
       [](Json& json) {
         json["claims"]["weights"] = {
             {"status", "asserted"}, {"source", "hearsay"}, {"reason", "r"}, {"digest", nullptr}};
       }},
      {"a claim without a reason",
       [](Json& json) {
         json["claims"]["weights"] = {{"status", "asserted"}, {"source", "operator_asserted"}, {"digest", nullptr}};
       }},
  };
  for (const auto& [name, change] : changes) {
    Json json = to_json(sample());
    change(json);
    const auto parsed = parse_model_identity(json);
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kBadModelIdentity) << name;
  }
}

TEST(ModelIdentity, TextsBecomePlain) {
  EXPECT_EQ(identity_text("model v1.gguf"), "model v1.gguf");
  EXPECT_EQ(identity_text("é%\n"), "%C3%A9%25%0A");
  EXPECT_EQ(identity_text(std::string(300, 'a')).size(), 256u);
  EXPECT_EQ(identity_text(std::string(255, 'a') + "é").size(), 255u) << "no half of an escape";
}

}  // namespace
}  // namespace cloister::evidence
