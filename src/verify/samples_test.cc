// Every parser of foreign evidence is in samples.def, with a sample that the vectors' test verifies, or with the note that none exists.
#include "verify/samples.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

#include "base/file.h"
#include "codec/json.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

namespace fs = std::filesystem;

const fs::path kTests = CLOISTER_SOURCE_DIR "/tests";

// Formats that our own programs write, and notations that are no form of evidence.
const std::set<std::string> kOwn = {
    "abi",           "agent_answer",   "answer",       "archive",      "bundle",        "cache_entry",
    "encoding",      "export_line",    "http_request", "jcs",          "json",          "json_members",
    "known_answers", "model_identity", "policy",       "prefix_proof", "proof",         "qgs_message",
    "reply_words",   "schema_rules",   "session",      "sse",          "terminal_text", "yaml"};

std::set<std::string> fuzz_targets() {
  std::set<std::string> out;
  for (const fs::directory_entry& entry : fs::directory_iterator(kTests / "fuzz")) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with("_fuzz.cc")) out.insert(name.substr(0, name.size() - 8));
  }
  return out;
}

TEST(Samples, EveryReaderOfEvidenceIsListed) {
  std::set<std::string> listed;
  for (const Sample& sample : samples()) listed.emplace(sample.reader);
  const std::set<std::string> targets = fuzz_targets();
  ASSERT_GT(targets.size(), 40u);
  for (const std::string& target : targets) {
    EXPECT_NE(listed.contains(target), kOwn.contains(target))
        << target
        << ": a reader of evidence needs an entry in verify/samples.def, one of our own forms a place in this test";
  }
  for (const std::string& reader : listed) EXPECT_TRUE(targets.contains(reader)) << reader << " has no fuzz target";
}

TEST(Samples, AreJudgedOrSaidToBeMissing) {
  const auto text = read_file((kTests / "vectors/cases.json").string(), 4u << 20);
  ASSERT_TRUE(text) << text.error().message;
  const Json file = Json::parse(*text);
  std::set<std::string> judged;
  for (const Json& one : file["cases"]) judged.insert(one["file"].get<std::string>());
  for (const auto& [name, where] : file["elsewhere"].items()) judged.insert(name);
  for (const Sample& sample : samples()) {
    if (sample.vector.empty()) {
      EXPECT_FALSE(sample.note.empty()) << sample.what << ": say with what it is tested";
    } else {
      EXPECT_TRUE(judged.contains(std::string(sample.vector))) << sample.what << ": no test judges " << sample.vector;
    }
  }
}

TEST(Samples, AreAboutChecksThatExist) {
  for (const Sample& sample : samples()) {
    for (std::string_view rest = sample.checks; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(' '));
      rest.remove_prefix(one.size() == rest.size() ? one.size() : one.size() + 1);
      const bool found = std::ranges::any_of(check_list(), [&](const CheckMeaning& check) {
        return one.ends_with('.') ? check.id.starts_with(one) : check.id == one;
      });
      EXPECT_TRUE(found) << sample.what << ": " << one;
    }
  }
}

TEST(Samples, ACheckNamesItsUnprovenForms) {
  const auto about = [](std::string_view id) {
    std::set<std::string> out;
    for (const Sample* sample : unproven_forms(id)) out.emplace(sample->reader);
    return out;
  };
  EXPECT_EQ(about("nvidia.nvlink"), std::set<std::string>{"spdm"});
  EXPECT_EQ(about("nvidia.gpu.3.rim.driver.form"), (std::set<std::string>{"spdm", "corim"}));
  EXPECT_EQ(about("model.0.report.switch_evidence_digest"), (std::set<std::string>{"services_report", "aci_report"}));
  EXPECT_TRUE(about("tdx.quote.signature").empty());
}

}  // namespace
}  // namespace cloister::verify
