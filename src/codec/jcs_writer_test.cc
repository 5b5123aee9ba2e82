// Compares the writer with write_jcs, which jcs_test.cc compares with RFC 8785's own examples.
#include "codec/jcs_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "base/encoding.h"
#include "codec/jcs.h"

namespace cloister::codec {
namespace {

template <typename Write>
Result<std::string> written(Write write) {
  JcsWriter out(0);
  write(out);
  return std::move(out).finish();
}

TEST(JcsWriter, Nests) {
  const auto text = written([](JcsWriter& out) {
    out.open_object()
        .name("a")
        .open_array()
        .close_array()
        .name("b")
        .open_array()
        .number(1)
        .open_object()
        .close_object();
    out.text("t").null().boolean(true).boolean(false).open_array().number(2).close_array().close_array();
    out.name("c").hex("sha256:", Bytes{0x00, 0xfe}).name("d").value_of(Json{{"y", 1}, {"x", 2}}).close_object();
  });
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, R"({"a":[],"b":[1,{},"t",null,true,false,[2]],"c":"sha256:00fe","d":{"x":2,"y":1}})");
  EXPECT_EQ(*text, write_jcs(Json::parse(*text)).value());
}

TEST(JcsWriter, EveryTextAsTheSchemeWritesIt) {
  std::vector<std::string> texts = {"",     "plain",    "\xf0\x9f\x98\x80", "\xed\xa0\x80",
                                    "\xc3", "\xc0\xaf", "\xf4\x90\x80\x80", "a\"b\\c/d"};
  for (int c = 0; c < 256; ++c) texts.push_back(std::string("x") + static_cast<char>(c) + "y");
  int refused = 0;
  for (const std::string& text : texts) {
    const auto expected = write_jcs(Json(text));
    const auto got = written([&](JcsWriter& out) { out.text(text); });
    ASSERT_EQ(got.has_value(), expected.has_value()) << to_hex(as_bytes(text));
    if (got) {
      EXPECT_EQ(*got, *expected);
    } else {
      EXPECT_EQ(got.error().message, expected.error().message);
      ++refused;
    }
  }
  EXPECT_GE(refused, 128 + 4);
}

TEST(JcsWriter, EveryIntegerAsTheSchemeWritesIt) {
  const auto check = [](auto number) {
    const auto expected = write_jcs(Json(number));
    const auto got = written([&](JcsWriter& out) { out.number(number); });
    ASSERT_EQ(got.has_value(), expected.has_value()) << number;
    if (got) {
      EXPECT_EQ(*got, *expected);
    }
  };
  for (int bits = 0; bits < 64; ++bits) {
    for (const int more : {-1, 0, 1}) {
      const std::uint64_t value = (std::uint64_t{1} << bits) + static_cast<std::uint64_t>(more);
      check(value);
      check(static_cast<std::int64_t>(value));
      check(static_cast<std::int32_t>(value));
    }
  }
  check(std::numeric_limits<std::uint64_t>::max());
  check(std::numeric_limits<std::int64_t>::min());
}

TEST(JcsWriter, TheFirstErrorStays) {
  const auto text = written([](JcsWriter& out) {
    out.open_object().name("a").text("\xff").name("b").number(UINT64_MAX - 1).name("c").text("fine").close_object();
  });
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, ErrorCode::kBadJson);
  EXPECT_NE(text.error().message.find("UTF-8"), std::string::npos);
}

}  // namespace
}  // namespace cloister::codec
