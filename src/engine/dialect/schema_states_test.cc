#include "engine/dialect/schema_states.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cloister::engine {
namespace {

std::optional<std::string> ambiguous(const std::string& text) {
  const Json schema = Json::parse(text);
  const auto found = SchemaStates(schema).find();
  if (!found) return std::nullopt;
  std::string where;
  for (const std::string& token : found->at) where += "/" + token;
  return where + "/" + found->keyword;
}

TEST(SchemaStates, AlternativesThatHoldEachOtherMultiply) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/A"},"minItems":1},{"type":"array","items":{"$ref":"#/$defs/A"}}]}}})",
       "/$defs/A/anyOf"},
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"oneOf":[{"prefixItems":[{"$ref":"#/$defs/A"}]},{"type":"array","items":{"$ref":"#/$defs/A"}},{"type":"null"}]}}})",
       "/$defs/A/oneOf"},
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}},{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"]}]}}})",
       "/$defs/A/anyOf"},
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"object","additionalProperties":{"$ref":"#/$defs/A"}},{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"]}]}}})",
       "/$defs/A/anyOf"},
      // The constant may be omitted, and comes after what it would tell apart.
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"object","properties":{"k":{"const":1},"a":{"$ref":"#/$defs/A"}}},{"type":"object","properties":{"k":{"const":2},"a":{"$ref":"#/$defs/A"}}}]}}})",
       "/$defs/A/anyOf"},
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"k":{"const":1}},"required":["a","k"]},{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"k":{"const":2}},"required":["k","a"]}]}}})",
       "/$defs/A/anyOf"},
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"allOf":[{"properties":{"x":{"$ref":"#/$defs/A"}}}]},{"allOf":[{"$ref":"#/$defs/B"}]}]},"B":{"properties":{"x":{"$ref":"#/$defs/A"}}}}})",
       "/$defs/A/anyOf"},
      {R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":["array","null"],"items":{"$ref":"#/$defs/A"}},{"type":["array","string"],"items":{"$ref":"#/$defs/A"}}]}}})",
       "/$defs/A/anyOf"},
  };
  for (const auto& [schema, where] : cases) EXPECT_EQ(ambiguous(schema), where) << schema;
}

// Without a reference to itself: each level doubles the ways.
TEST(SchemaStates, SoDoesAChain) {
  Json root;
  Json inner = Json::parse(R"({"type":"integer"})");
  for (int depth = 0; depth < 30; ++depth) {
    root["$defs"]["x" + std::to_string(depth)] = inner;
    inner = {{"anyOf",
              {{{"type", "array"}, {"items", {{"$ref", "#/$defs/x" + std::to_string(depth)}}}},
               {{"type", "array"}, {"items", {{"$ref", "#/$defs/x" + std::to_string(depth)}}}, {"minItems", 1}}}}};
  }
  root["$ref"] = "#/$defs/x29";
  EXPECT_TRUE(SchemaStates(root).find().has_value());
}

TEST(SchemaStates, WhatTheTextTellsApartDoesNot) {
  for (
      const char* schema : {
          // a list, a tree, an expression whose kinds a constant tells apart
          R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#/$defs/n"},{"type":"null"}]}},"required":["next"]}}})",
          R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/n"}}},"required":["name","children"]}}})",
          R"({"$ref":"#/$defs/e","$defs":{"e":{"anyOf":[{"type":"object","properties":{"op":{"const":"add"},"l":{"$ref":"#/$defs/e"},"r":{"$ref":"#/$defs/e"}},"required":["op","l","r"]},{"type":"object","properties":{"op":{"enum":["mul","div"]},"l":{"$ref":"#/$defs/e"},"r":{"$ref":"#/$defs/e"}},"required":["op","l","r"]},{"type":"number"}]}}})",
          // alternatives that a property's name or a type tells apart later
          R"({"$ref":"#/$defs/f","$defs":{"f":{"anyOf":[{"type":"object","properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/f"}}},"required":["name","children"]},{"type":"object","properties":{"name":{"type":"string"},"size":{"type":"integer"}},"required":["name","size"]}]}}})",
          R"({"$ref":"#/$defs/f","$defs":{"f":{"anyOf":[{"type":"object","properties":{"a":{"type":"string"},"b":{"$ref":"#/$defs/f"}},"required":["a","b"]},{"type":"object","properties":{"a":{"type":"integer"},"b":{"$ref":"#/$defs/f"}},"required":["a","b"]}]}}})",
          // alternatives that look alike, but are bounded
          R"({"anyOf":[{"type":"object","properties":{"name":{"type":"string"},"a":{}}},{"type":"object","properties":{"name":{"type":"string"},"b":{}}}]})",
          R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/A"}},{"type":"array","items":{"type":"integer"}}]}}})",
          R"({"anyOf":[{"type":"array","items":{"type":"string"},"maxItems":3},{"type":"array","items":{"type":"string"},"minItems":5}]})",
          R"({"anyOf":[{},{},{"type":"array"},{"type":"object"}]})",
          R"({})",
          R"({"type":"object"})",
          R"({"type":"array","items":{"type":["array","object"]}})",
          R"({"$ref":"#/$defs/json","$defs":{"json":{"anyOf":[{"type":"object","additionalProperties":{"$ref":"#/$defs/json"}},{"type":"array","items":{"$ref":"#/$defs/json"}},{"type":"string"},{"type":"number"},{"type":"boolean"},{"type":"null"}]}}})",
      }) {
    EXPECT_EQ(ambiguous(schema), std::nullopt) << schema;
  }
}

// A union of many objects with many properties is checked quickly, whatever the result.
TEST(SchemaStates, TakesABoundedTime) {
  Json root = {{"anyOf", Json::array()}};
  for (int i = 0; i < 60; ++i) {
    Json object = {{"type", "object"}, {"properties", Json::object()}};
    for (int j = 0; j < 60; ++j) object["properties"]["p" + std::to_string((i * 7 + j) % 61)] = {{"$ref", "#/anyOf/0"}};
    root["anyOf"].push_back(object);
  }
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(SchemaStates(root).find().has_value());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60));
}

}  // namespace
}  // namespace cloister::engine
