#include "evidence/archive.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/result_testing.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

Archive sample() {
  Archive archive;
  archive.judged_at = 1780272000;
  archive.receipt = R"({ "api_version":"aci/1" })";
  archive.report = R"({"api_version":"cloister/1"})";
  archive.nonce.emplace().fill(0xab);
  archive.request = std::string("{\"a\":\"\0\xff\"}", 10);
  archive.response = "data: [DONE]\n\n";
  archive.model_manifest = R"({"schema":"cloister.model.v1"})";
  archive.collateral = {{"collateral", "cloister.collateral.v1"}};
  return archive;
}

TEST(Archive, ComesBackAsItWasWritten) {
  Archive archive = sample();
  EXPECT_TRUE(is_archive(write_archive(archive)));
  EXPECT_EQ(*parse_archive(write_archive(archive)), archive);
  archive.report.reset();
  archive.keyset = "{}";
  archive.session = "{}";
  archive.prefix_proof = "{}";
  EXPECT_EQ(*parse_archive(write_archive(archive)), archive);
  Archive least;
  least.receipt = "{}";
  EXPECT_EQ(*parse_archive(write_archive(least)), least);
}

TEST(Archive, IsKnownByItsBeginning) {
  EXPECT_FALSE(is_archive(R"({"format":"cloister.evidence.v1"})"));
  EXPECT_FALSE(is_archive(""));
}

TEST(Archive, RefusesWhatIsNotOfItsForm) {
  const std::vector<std::pair<const char*, std::function<void(Json&)>>> changes = {
      {"no object", [](Json& json) { json = Json::array(); }},
      {"another version", [](Json& json) { json["archive"] = "cloister.archive.v2"; }},
      {"no version", [](Json& json) { json.erase("archive"); }},
      {"a member too many", [](Json& json) { json["verdict"] = "accepted"; }},
      {"no receipt", [](Json& json) { json.erase("receipt"); }},
      {"a receipt that is an object", [](Json& json) { json["receipt"] = Json::object(); }},
      {"no time", [](Json& json) { json.erase("judged_at"); }},
      {"a second spelling of a time", [](Json& json) { json["judged_at"] = "2026-06-01T00:00:00+00:00"; }},
      {"a short nonce", [](Json& json) { json["nonce"] = "ab"; }},
      {"an upper-case nonce", [](Json& json) { json["nonce"] = std::string(64, 'A'); }},
      {"a body that is not base64", [](Json& json) { json["request"] = "a b"; }},
      {"a null", [](Json& json) { json["report"] = nullptr; }},
      {"collateral that is a text", [](Json& json) { json["collateral"] = "{}"; }},
      {"a report and a keyset", [](Json& json) { json["keyset"] = "{}"; }},
  };
  for (const auto& [name, change] : changes) {
    Json json = *codec::parse_json(write_archive(sample()));
    change(json);
    const auto parsed = parse_archive(codec::write_json(json));
    ASSERT_FALSE(parsed) << name;
    EXPECT_EQ(parsed.error().code, ErrorCode::kBadArchive) << name;
  }
  EXPECT_REFUSED(parse_archive("{"), "archive: not valid JSON at byte 2");
  EXPECT_REFUSED(parse_archive(R"({"archive":"cloister.archive.v1","archive":"cloister.archive.v1"})"),
                 "archive: an object has two members of the same name");
}

}  // namespace
}  // namespace cloister::evidence
