// The digest of a tokenizer is the one of the public vectors (docs/spec/vectors), which another implementation made.
#include "engine/llama/model_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"

namespace cloister::engine::llama {
namespace {

TEST(ModelFile, TokenizerDigestIsThatOfTheVectors) {
  std::ifstream file(testing::repository() / "docs/spec/vectors/model-identity.json", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Json vector = codec::parse_json(text).value().at("tokenizer");
  const std::filesystem::path path = std::filesystem::path(::testing::TempDir()) / "model_file_test.gguf";
  const Bytes header = from_hex(vector.at("gguf_hex").get<std::string>()).value();
  std::ofstream(path, std::ios::binary) << as_text(header);
  const auto model = read_model_file(path);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ("sha256:" + to_hex(model->tokenizer_digest), vector.at("digest").get<std::string>());
  EXPECT_EQ(model->chat_template, "{{ messages }}");
}

}  // namespace
}  // namespace cloister::engine::llama
