#include "evidence/known_answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/result_testing.h"
#include "codec/json.h"
#include "evidence/known_answers_result.h"

namespace cloister::evidence {
namespace {

KnownAnswers sample() {
  KnownAnswers out;
  out.model_id = "demo";
  out.weights_digest.emplace().fill(1);
  out.engine = "llama.cpp de3ff815 cpu x86-64-v3";
  out.recorded_at = 1780000000;
  out.tolerance = 0.05;
  KnownCase known;
  known.messages = {{"system", "Be brief."}, {"user", "What is the capital of France? \xC3\xA9"}};
  known.content = "Paris.";
  for (int i = 0; i < 4; ++i)
    known.tokens.push_back({{"P" + std::to_string(i), -0.012345}, {"aris", -3.5}, {"\n", -9}});
  out.cases = {known, known};
  out.cases[1].content.reset();
  return out;
}

TEST(KnownAnswers, AreReadAsTheyWereWritten) {
  const KnownAnswers answers = sample();
  const auto read = parse_known_answers(codec::write_json(to_json(answers)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, answers);
  EXPECT_EQ(read->positions(), 8u);
  EXPECT_EQ(*known_answers_digest(*read), *known_answers_digest(answers));
  KnownAnswers other = answers;
  other.cases[0].tokens[0][2].logprob = -9.000001;
  EXPECT_NE(*known_answers_digest(other), *known_answers_digest(answers));
}

TEST(KnownAnswers, NumbersHaveOneText) {
  EXPECT_EQ(logprob_text(-0.0123456), "-0.012346");
  EXPECT_EQ(logprob_text(-1e-9), "0.000000");
  EXPECT_EQ(logprob_text(-1e30), "-1000.000000");
  EXPECT_EQ(logprob_text(0.5), "0.000000");
  EXPECT_EQ(logprob_text(std::nan("")), "-1000.000000");
  EXPECT_EQ(difference_text(-0.5), "0.500000");
  EXPECT_EQ(difference_text(INFINITY), "1000.000000");
}

TEST(KnownAnswers, NothingElseIsRead) {
  using Change = std::function<void(Json&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"another schema", [](Json& d) { d["schema"] = "cloister.known_answers.v2"; }},
      {"a member too many", [](Json& d) { d["more"] = 1; }},
      {"a member too few", [](Json& d) { d.erase("recorded_at"); }},
      {"no model", [](Json& d) { d["model"] = nullptr; }},
      {"a name that is no printable text", [](Json& d) { d["model"]["id"] = "a\nb"; }},
      {"a name of nothing", [](Json& d) { d["model"]["id"] = ""; }},
      {"a digest in capitals", [](Json& d) { d["model"]["weights_digest"] = "sha256:" + std::string(64, 'A'); }},
      {"a digest that is left out", [](Json& d) { d["model"].erase("chat_template_digest"); }},
      {"a tolerance of nothing", [](Json& d) { d["tolerance"] = "0.000000"; }},
      {"a tolerance that finds nothing", [](Json& d) { d["tolerance"] = "0.200001"; }},
      {"a tolerance that is a number", [](Json& d) { d["tolerance"] = 0.05; }},
      {"another spelling of a number", [](Json& d) { d["tolerance"] = "0.05"; }},
      {"a leading zero", [](Json& d) { d["tolerance"] = "00.050000"; }},
      {"a time before 1970", [](Json& d) { d["recorded_at"] = -1; }},
      {"no cases", [](Json& d) { d["cases"] = Json::array(); }},
      {"too many cases",
       [](Json& d) {
         d["cases"] = Json::array();
         for (int i = 0; i < 17; ++i) d["cases"].push_back(Json::object());
       }},
      {"too few tokens", [](Json& d) { d["cases"].erase(1); }},
      {"no messages", [](Json& d) { d["cases"][0]["messages"] = Json::array(); }},
      {"another role", [](Json& d) { d["cases"][0]["messages"][0]["role"] = "tool"; }},
      {"content that is no text", [](Json& d) { d["cases"][0]["messages"][0]["content"] = Json::array(); }},
      {"content that is too long",
       [](Json& d) { d["cases"][0]["messages"][0]["content"] = std::string((16 << 10) + 1, 'a'); }},
      {"a reply that is no text", [](Json& d) { d["cases"][0]["content"] = 1; }},
      {"no tokens", [](Json& d) { d["cases"][0]["tokens"] = Json::array(); }},
      {"one alternative",
       [](Json& d) {
         d["cases"][0]["tokens"][0].erase(2);
         d["cases"][0]["tokens"][0].erase(1);
       }},
      {"no list of alternatives", [](Json& d) { d["cases"][0]["tokens"][0] = "P"; }},
      {"alternatives out of order",
       [](Json& d) { std::swap(d["cases"][0]["tokens"][0][1], d["cases"][0]["tokens"][0][2]); }},
      {"a near tie", [](Json& d) { d["cases"][0]["tokens"][0][1]["logprob"] = "-0.512345"; }},
      {"a log probability above zero", [](Json& d) { d["cases"][0]["tokens"][0][0]["logprob"] = "0.000001"; }},
      {"a minus before nothing", [](Json& d) { d["cases"][0]["tokens"][0][0]["logprob"] = "-0.000000"; }},
      {"a log probability that is no number", [](Json& d) { d["cases"][0]["tokens"][0][0]["logprob"] = "nan"; }},
      {"a token that is too long", [](Json& d) { d["cases"][0]["tokens"][0][0]["text"] = std::string(257, 'a'); }},
  };
  for (const auto& [name, change] : changes) {
    Json document = to_json(sample());
    change(document);
    const auto read = parse_known_answers(codec::write_json(document));
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kModelFile) << name;
    EXPECT_EQ(read.error().message.find("France"), std::string::npos) << name;
  }
  for (const char* text : {"", "[]", "{}", "null", "{\"schema\":", "{\"schema\":1,\"schema\":1}"})
    EXPECT_FALSE(parse_known_answers(text)) << text;
  EXPECT_REFUSED(parse_known_answers(std::string(kMostKnownAnswersBytes + 1, ' ')),
                 "expected at most 1048576 bytes of JSON, got 1048577");
}

KnownAnswersResult result() {
  KnownAnswersResult out;
  out.answers_digest.fill(2);
  out.model_digest.emplace().fill(3);
  out.passed_at = 1780000100;
  out.cases = 4;
  out.positions = 32;
  out.deviation = "0.012345";
  out.tolerance = "0.250000";
  return out;
}

TEST(KnownAnswersResult, IsReadAsItWasWritten) {
  EXPECT_EQ(*parse_known_answers_result(to_json(result())), result());
  KnownAnswersResult nameless = result();
  nameless.model_digest.reset();
  EXPECT_EQ(*parse_known_answers_result(to_json(nameless)), nameless);
  std::string signed_text;
  const auto document = sign_known_answers({result(), nameless}, "receipt-1", [&](std::string_view text) {
    signed_text = text;
    return ByteArray<64>{7};
  });
  ASSERT_TRUE(document);
  const auto read = parse_signed_known_answers(*document);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->results, (std::vector<KnownAnswersResult>{result(), nameless}));
  EXPECT_EQ(read->signing_input, signed_text);
  EXPECT_EQ(read->key_id, "receipt-1");
  EXPECT_EQ(read->signature, ByteArray<64>{7});
}

TEST(KnownAnswersResult, NothingElseIsRead) {
  const Json good = *sign_known_answers({result()}, "receipt-1", [](std::string_view) { return ByteArray<64>{}; });
  using Change = std::function<void(Json&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"another schema", [](Json& d) { d["schema"] = "aci/1"; }},
      {"a member too many", [](Json& d) { d["more"] = 1; }},
      {"no key", [](Json& d) { d.erase("key_id"); }},
      {"a key's name without end", [](Json& d) { d["key_id"] = std::string(257, 'a'); }},
      {"no results", [](Json& d) { d["results"] = Json::array(); }},
      {"too many results",
       [](Json& d) {
         for (int i = 0; i < 64; ++i) d["results"].push_back(d["results"][0]);
       }},
      {"a short signature", [](Json& d) { d["signature"] = "00"; }},
      {"a signature in capitals", [](Json& d) { d["signature"] = std::string(128, 'A'); }},
      {"a result's member too many", [](Json& d) { d["results"][0]["more"] = 1; }},
      {"a result's member too few", [](Json& d) { d["results"][0].erase("model_digest"); }},
      {"no answers", [](Json& d) { d["results"][0]["answers_digest"] = nullptr; }},
      {"no cases", [](Json& d) { d["results"][0]["cases"] = 0; }},
      {"a deviation that is a number", [](Json& d) { d["results"][0]["deviation"] = 0.1; }},
      {"a deviation below zero", [](Json& d) { d["results"][0]["deviation"] = "-0.1"; }},
      {"a deviation of two points", [](Json& d) { d["results"][0]["deviation"] = "0.1.2"; }},
      {"a deviation without digits", [](Json& d) { d["results"][0]["tolerance"] = "."; }},
      {"a result that is none", [](Json& d) { d["results"][0] = 1; }},
  };
  for (const auto& [name, change] : changes) {
    Json document = good;
    change(document);
    const auto read = parse_signed_known_answers(document);
    ASSERT_FALSE(read) << name;
    EXPECT_EQ(read.error().code, ErrorCode::kBadReport) << name;
  }
  EXPECT_REFUSED(parse_signed_known_answers(Json()), "known_answers: expected an object, found null");
  EXPECT_REFUSED(parse_known_answers_result(Json::array()), "document: expected an object, found array");
}

}  // namespace
}  // namespace cloister::evidence
