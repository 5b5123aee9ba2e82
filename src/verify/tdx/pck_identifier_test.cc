// Quotes that name their PCK certificate: the certificate that is given with them has to be that one.
#include "verify/tdx/pck_identifier.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace cloister::verify {
namespace {

PckExtension platform() {
  PckExtension pck;
  pck.ppid.fill(0x11);
  pck.cpu_svn.fill(0x22);
  pck.pce_svn = 0x0403;
  pck.pce_id = {5, 6};
  return pck;
}

// The PPID as in a quote of this type, then what follows it.
codec::TdxQuote quote_of(std::uint16_t type, std::size_t ppid_size) {
  codec::TdxQuote quote;
  quote.certification_type = type;
  quote.certification_data = Bytes(ppid_size, 0x11);
  append(quote.certification_data, Bytes(16, 0x22));
  append(quote.certification_data, Bytes{3, 4, 5, 6});
  return quote;
}

State judged(const codec::TdxQuote& quote, const std::optional<PckExtension>& pck = platform()) {
  return check_pck_identifier(quote, pck).state;
}

TEST(PckIdentifier, EachTypeHasItsSize) {
  EXPECT_EQ(judged(quote_of(1, 16)), State::kPass);
  EXPECT_EQ(judged(quote_of(2, 256)), State::kPass);
  EXPECT_EQ(judged(quote_of(3, 384)), State::kPass);
  EXPECT_EQ(judged(quote_of(1, 256)), State::kFail);
  EXPECT_EQ(judged(quote_of(2, 255)), State::kFail);
  EXPECT_EQ(judged(quote_of(3, 385)), State::kFail);
  codec::TdxQuote empty = quote_of(1, 16);
  empty.certification_data.clear();
  EXPECT_EQ(judged(empty), State::kFail);
}

TEST(PckIdentifier, EveryByteInTheClearCounts) {
  const std::size_t size = quote_of(1, 16).certification_data.size();
  for (std::size_t at = 0; at < size; ++at) {
    codec::TdxQuote quote = quote_of(1, 16);
    quote.certification_data[at] ^= 1;
    EXPECT_EQ(judged(quote), State::kFail) << at;
  }
  // Only Intel can read an encrypted PPID.
  codec::TdxQuote encrypted = quote_of(3, 384);
  encrypted.certification_data[0] ^= 1;
  EXPECT_EQ(judged(encrypted), State::kPass);
  encrypted.certification_data[384] ^= 1;
  EXPECT_EQ(judged(encrypted), State::kFail);
}

TEST(PckIdentifier, ThePpidIsNotShown) {
  codec::TdxQuote quote = quote_of(1, 16);
  quote.certification_data[0] ^= 1;
  const Check check = check_pck_identifier(quote, platform());
  EXPECT_EQ(check.expected + check.actual, "");
}

TEST(PckIdentifier, WithoutACertificateItIsSkippedAndForOthersItDoesNotApply) {
  EXPECT_EQ(judged(quote_of(1, 16), std::nullopt), State::kSkipped);
  EXPECT_EQ(judged(quote_of(5, 16)), State::kNotApplicable);
}

}  // namespace
}  // namespace cloister::verify
