#include "engine/dialect/schema_rules.h"

#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "engine/dialect/schema_keywords.h"
#include "engine/dialect/string_pattern.h"

namespace cloister::engine {
namespace {

Result<Json> apply(const std::string& text, bool strict) {
  Json schema = Json::parse(text);
  SchemaRules rules;
  TRY_VOID(rules.apply(schema, "here", strict));
  return schema;
}

struct Case {
  const char* schema;
  const char* param;  // param of the error
};

class NotEnforced : public testing::TestWithParam<Case> {};

TEST_P(NotEnforced, IsRefusedByKeywordAndPath) {
  const auto result = apply(GetParam().schema, true);
  ASSERT_FALSE(result.has_value()) << GetParam().schema;
  EXPECT_EQ(result.error().param, std::string("here") + GetParam().param) << result.error().message;
  EXPECT_TRUE(apply(GetParam().schema, false).has_value()) << "without strict it is left to the model";
}

INSTANTIATE_TEST_SUITE_P(
    Keywords, NotEnforced,
    testing::Values(
        Case{R"({"type":"object","properties":{"a":{"type":"string","pattern":"a"}}})", "/properties/a/pattern"},
        Case{R"({"type":"object","properties":{"a~/b":{"type":"string","pattern":"^(?=a)a$"}}})",
             "/properties/a~0~1b/pattern"},
        Case{R"({"type":"number","minimum":0})", "/minimum"},
        Case{R"({"type":"number","exclusiveMaximum":1})", "/exclusiveMaximum"},
        Case{R"({"type":["number","null"],"maximum":1})", "/maximum"}, Case{R"({"minimum":1})", "/minimum"},
        Case{R"({"type":"integer","multipleOf":7})", "/multipleOf"},
        Case{R"({"type":"number","multipleOf":1})", "/multipleOf"},
        Case{R"({"type":"string","format":"uri"})", "/format"},
        Case{R"({"type":"string","format":"date","minLength":3})", "/minLength"},
        Case{R"({"type":"string","pattern":"^a$","maxLength":3})", "/maxLength"},
        Case{R"({"type":"string","maxLength":2001})", "/maxLength"},
        Case{R"({"type":"string","contentEncoding":"base64"})", "/contentEncoding"},
        Case{R"({"type":"string","enum":["a"],"minLength":2})", "/minLength"},
        Case{R"({"type":"string","enum":["a",1]})", "/enum"}, Case{R"({"type":"string","const":1})", "/const"},
        Case{R"({"const":1,"enum":[1]})", "/enum"},
        Case{R"({"type":"array","items":{},"uniqueItems":true})", "/uniqueItems"},
        Case{R"({"type":"array","contains":{}})", "/contains"},
        Case{R"({"type":"array","prefixItems":[{}],"minItems":2})", "/minItems"},
        Case{R"({"type":"array","items":false})", "/items"}, Case{R"({"not":{}})", "/not"},
        Case{R"({"type":"object","if":{}})", "/if"}, Case{R"({"allOf":[{},{}]})", "/allOf"},
        Case{R"({"type":"object","allOf":[{}]})", "/allOf"}, Case{R"({"type":"object","anyOf":[{}]})", "/type"},
        Case{R"({"anyOf":[{}],"oneOf":[{}]})", "/anyOf"},
        Case{R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "/oneOf"},
        Case{R"({"oneOf":[{"type":"object"},{"type":"object"}]})", "/oneOf"},
        Case{R"({"oneOf":[{"const":2},{"const":2.0}]})", "/oneOf"},
        Case{R"({"oneOf":[{"const":[{"a":2}]},{"enum":[1,[{"a":2.0}]]}]})", "/oneOf"},
        Case{R"({"oneOf":[{"type":"integer","minimum":1,"maximum":1},{"const":1.0}]})", "/oneOf"},
        Case{R"({"oneOf":[{"type":"integer"},{"enum":[7e2,"x"]}]})", "/oneOf"},
        Case{
            R"({"oneOf":[{"type":"object","properties":{"k":{"const":1}},"required":["k"]},{"type":"object","properties":{"k":{"enum":[1.0]}},"required":["k"]}]})",
            "/oneOf"},
        Case{R"({"type":"integer","const":1.5})", "/const"},
        Case{R"({"type":"object","properties":{},"required":["a"]})", "/required"},
        Case{R"({"type":"object","required":["a"]})", "/required"},
        Case{R"({"type":"object","properties":{"a":{}},"additionalProperties":true})", "/additionalProperties"},
        Case{R"({"type":"object","properties":{"a":{}},"additionalProperties":{"type":"null"}})",
             "/additionalProperties"},
        Case{R"({"type":"object","patternProperties":{}})", "/patternProperties"},
        Case{R"({"type":"object","minProperties":1})", "/minProperties"},
        Case{R"({"type":"object","dependentRequired":{}})", "/dependentRequired"},
        Case{R"({"type":"object","propertyNames":{}})", "/propertyNames"}, Case{R"({"type":"file"})", "/type"},
        Case{R"({"type":"object","properties":{"a":true}})", "/properties/a"},
        Case{R"({"type":"null","unknownWord":1})", "/unknownWord"},
        Case{R"({"$ref":"#/$defs/a","minLength":1,"$defs":{"a":{}}})", "/minLength"}));

TEST(SchemaRules, TakesWhatTheGrammarFollows) {
  for (
      const char* schema :
      {R"({"type":"object","properties":{"a":{"type":"string","description":"x"},"b":{"type":["integer","null"]}},"required":["a"],"additionalProperties":false})",
       R"({"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"A"}}})",
       R"({"type":"object"})",
       R"({"type":"object","additionalProperties":{"type":"integer"}})",
       R"({"type":"array","items":{"type":"string","maxLength":3},"minItems":1,"maxItems":4})",
       R"({"type":"string","enum":["a","b"]})",
       R"({"const":"x"})",
       R"({"enum":[1,"a",null]})",
       R"({"type":"boolean"})",
       R"({})",
       R"({"type":"integer","multipleOf":1})",
       R"({"type":"array","uniqueItems":false})",
       R"({"type":"string","minimum":3})",
       R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["next"]}}})",
       R"({"oneOf":[{"type":"string"},{"type":"null"}]})",
       R"({"oneOf":[{"const":1},{"const":2}]})",
       R"({"oneOf":[{"const":1},{"const":1.5}]})",
       R"({"oneOf":[{"type":"integer"},{"const":1.5}]})",
       R"({"oneOf":[{"const":1},{"const":"1"},{"const":true}]})",
       R"({"type":"integer","const":2.0})",
       R"({"oneOf":[{"type":"object","properties":{"k":{"const":"a"}},"required":["k"]},{"$ref":"#/$defs/b"}],"discriminator":{},"$defs":{"b":{"type":"object","properties":{"k":{"enum":["b"]}},"required":["k"]}}})"}) {
    const auto result = apply(schema, true);
    EXPECT_TRUE(result.has_value()) << schema << ": " << result.error().message;
    if (result) {
      EXPECT_EQ(*result, Json::parse(schema));
    }
  }
}

TEST(SchemaRules, SaysInOtherWordsWhatTheLibraryWouldReadOtherwise) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type":"string","pattern":"^\\d$"})", R"({"type":"string","pattern":"^[0-9]$"})"},
      {R"({"type":"integer","minimum":105})", R"({"type":"integer","minimum":105,"maximum":9999999999999999})"},
      {R"({"type":"integer","exclusiveMaximum":2.5})", R"({"type":"integer","minimum":-9999999999999999,"maximum":2})"},
      {R"({"type":"integer","exclusiveMinimum":0,"maximum":9})", R"({"type":"integer","maximum":9,"minimum":1})"},
      {R"({"allOf":[{"type":"null"}],"title":"x"})", R"({"title":"x","type":"null"})"},
      {R"({"type":"array","prefixItems":[{"type":"null"}],"items":false})",
       R"({"type":"array","prefixItems":[{"type":"null"}]})"},
      {R"({"type":"string","format":"uuid"})", nullptr},
      {R"({"type":"string","minLength":2})", nullptr},
  };
  for (const auto& [schema, expected] : cases) {
    const auto result = apply(schema, true);
    ASSERT_TRUE(result.has_value()) << schema << ": " << result.error().message;
    if (expected != nullptr) {
      EXPECT_EQ(*result, Json::parse(expected)) << schema;
    } else {
      EXPECT_TRUE(result->contains("pattern") && result->size() == 2) << schema;
    }
  }
  const auto left = apply(R"({"type":"string","pattern":"^(?=a)a$"})", false);
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, Json::parse(R"({"type":"string","x-pattern":"^(?=a)a$"})"));
}

TEST(SchemaRules, EveryFormatsPatternIsTaken) {
  for (const char* format : {"date", "time", "date-time", "uuid", "ipv4", "email"}) {
    const auto exact = exact_pattern(pattern_of_format(format));
    EXPECT_TRUE(exact.has_value()) << format << ": " << (exact ? "" : exact.error().message);
  }
}

std::string many(std::size_t count, const std::function<std::string(std::size_t)>& item) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += (i == 0 ? "" : ",") + item(i);
  return out;
}

TEST(SchemaRules, BoundsTheCostWhetherStrictOrNot) {
  const auto text = [](std::size_t i) { return "\"" + std::to_string(i) + "\""; };
  const std::string costly[] = {
      R"({"type":"string","minLength":9,"maxLength":5})",
      R"({"type":"array","minItems":9,"maxItems":5})",
      R"({"type":"string","minLength":2001})",
      R"({"type":"string","minLength":-1})",
      R"({"type":"string","maxLength":1e20})",
      R"({"type":"integer","minimum":9,"maximum":5})",
      R"({"type":["string","string"]})",
      "{\"enum\":[" + many(513, text) + "]}",
      "{\"anyOf\":[" + many(513, [](std::size_t) { return "{}"; }) + "]}",
      "{\"type\":\"object\",\"properties\":{" + many(129, [&](std::size_t i) { return text(i) + ":{}"; }) + "}}",
      "{\"type\":\"object\",\"properties\":{" +
          many(40, [&](std::size_t i) { return text(i) + R"(:{"type":"string","maxLength":2000})"; }) + "}}",
      R"({"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"}]}}})",
      R"({"$ref":"#/$defs/none"})",
      R"({"$ref":"#"})",
      R"({"$ref":"other.json"})",
      "{\"anyOf\":[" + many(30, [](std::size_t) { return R"({"$ref":"#/$defs/a"})"; }) +
          "],\"$defs\":{\"a\":{\"enum\":[" + many(30, text) + "]}}}",
  };
  for (const std::string& schema : costly) {
    EXPECT_FALSE(apply(schema, true).has_value()) << schema.substr(0, 100);
    EXPECT_FALSE(apply(schema, false).has_value()) << schema.substr(0, 100);
  }
}

// The library makes the name of a rule from the reference's text, for all schemas of a request.
TEST(SchemaRules, RefusesReferencesThatTheLibraryTakesForTheSame) {
  const auto schema = [](const char* name, const char* type) {
    return Json::parse(std::string(R"({"$ref":"#/$defs/)") + name + R"(","$defs":{")" + name + R"(":{"type":")" + type +
                       R"("}}})");
  };
  for (const auto& [name, type, taken] :
       {std::tuple{"a_b", "string", true}, {"a_b", "null", false}, {"a b", "string", false}, {"c", "null", true}}) {
    SchemaRules rules;
    Json first = schema("a_b", "string");
    Json second = schema(name, type);
    ASSERT_TRUE(rules.apply(first, "first", false).has_value());
    EXPECT_EQ(rules.apply(second, "second", true).has_value(), taken) << name << " " << type;
  }
}

}  // namespace
}  // namespace cloister::engine
