#include "codec/qgs_message.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"

namespace cloister::codec {
namespace {

Bytes good() { return write_qgs_quote_response(as_bytes("a quote"), 0); }

TEST(QgsMessage, ARequestIsTheHeaderTheSizesAndTheReport) {
  ByteArray<kTdReportSize> report;
  report.fill(0xab);
  const Bytes request = write_qgs_quote_request(report);
  ASSERT_EQ(request.size(), 24u + 1024u);
  EXPECT_EQ(to_hex(ByteView(request).first(24)), "01000000"
                                                 "00000000"
                                                 "18040000"
                                                 "00000000"
                                                 "00040000"
                                                 "00000000");
  EXPECT_TRUE(equal(ByteView(request).subspan(24), report));
}

TEST(QgsMessage, AResponseGivesItsQuote) {
  const auto quote = parse_qgs_quote_response(good());
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(as_text(*quote), "a quote");
}

TEST(QgsMessage, ASelectedIdIsSkipped) {
  const auto quote = parse_qgs_quote_response(*from_hex("0100010001000000"
                                                        "1d00000000000000"
                                                        "03000000"
                                                        "02000000"
                                                        "aabbcc"
                                                        "0102"));
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(to_hex(*quote), "0102");
}

TEST(QgsMessage, AnErrorCodeIsRepeated) {
  const auto quote = parse_qgs_quote_response(write_qgs_quote_response({}, 0x12001));
  ASSERT_FALSE(quote);
  EXPECT_NE(quote.error().message.find("0x12001"), std::string::npos) << quote.error().message;
}

TEST(QgsMessage, WhatIsNotAsLongAsItSaysIsRefused) {
  for (std::size_t size = 0; size < good().size(); ++size) {
    EXPECT_FALSE(parse_qgs_quote_response(ByteView(good()).first(size))) << size;
  }
  Bytes longer = good();
  longer.push_back(0);
  EXPECT_REFUSED(parse_qgs_quote_response(longer), "QGS response: says that it has 31 bytes, has 32");
  longer[8] += 1;  // and announces it: the byte still belongs to no field
  EXPECT_REFUSED(parse_qgs_quote_response(longer), "QGS response: 1 bytes follow the quote");
}

TEST(QgsMessage, OtherMessagesAreRefused) {
  // major, type, selected id size, quote size of 0, sizes that wrap
  for (const auto& [offset, value] :
       {std::pair{0, 2}, {4, 0}, {4, 3}, {16, 1}, {16, 0xff}, {20, 0}, {23, 0xff}, {19, 0xff}}) {
    Bytes message = good();
    message[offset] = static_cast<std::uint8_t>(value);
    EXPECT_FALSE(parse_qgs_quote_response(message)) << offset;
  }
  EXPECT_REFUSED(parse_qgs_quote_response(write_qgs_quote_response({}, 0)), "QGS response: holds no quote");
  EXPECT_REFUSED(parse_qgs_quote_response(write_qgs_quote_response(Bytes(kQgsMostMessage, 1), 0)),
                 "QGS response: longer than 65536 bytes");
}

}  // namespace
}  // namespace cloister::codec
