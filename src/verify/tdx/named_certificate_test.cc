// A genuine quote whose certificate is given next to it. Nobody signs the name of the certificate, so the quote can be
// rewritten to one that names it.
#include <gtest/gtest.h>

#include "codec/tdx_quote.h"
#include "crypto/x509.h"
#include "verify/tdx/pck_extension.h"
#include "verify/testing/recorded_tdx.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using cloister::testing::failing;
using cloister::testing::Ids;

// Where the sizes and the inner certification stand in a version 4 quote with 32 bytes of authentication data.
constexpr std::size_t kSignatureSizeAt = 632, kCertificationSizeAt = 766, kInnerAt = 1252;

void put_u32(Bytes& bytes, std::size_t at, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) bytes.at(at + i) = static_cast<std::uint8_t>(value >> 8 * i);
}

Bytes naming(Bytes quote, const Bytes& name) {
  quote.resize(kInnerAt + 6);
  quote[kInnerAt] = 1;  // PPID in the clear
  quote[kInnerAt + 1] = 0;
  put_u32(quote, kInnerAt + 2, name.size());
  append(quote, name);
  put_u32(quote, kCertificationSizeAt, quote.size() - kCertificationSizeAt - 4);
  put_u32(quote, kSignatureSizeAt, quote.size() - kSignatureSizeAt - 4);
  return quote;
}

struct Named {
  Bytes quote = cloister::testing::recorded_quote("v4_b0c06f_uptodate.bin");
  Bytes name;
  Collateral collateral;

  Named() {
    const auto parsed = codec::parse_tdx_quote(quote);
    EXPECT_TRUE(parsed) << parsed.error().message;
    std::string chain(as_text(parsed->certification_data));
    while (!chain.empty() && chain.back() == '\0') chain.pop_back();
    const auto pck = read_pck_extension(crypto::parse_pem_chain(as_bytes(chain))->front());
    EXPECT_TRUE(pck) << pck.error().message;
    append(name, pck->ppid);
    append(name, pck->cpu_svn);
    append(name, Bytes{static_cast<std::uint8_t>(pck->pce_svn), static_cast<std::uint8_t>(pck->pce_svn >> 8)});
    append(name, pck->pce_id);
    collateral.tdx = {cloister::testing::bundle_of_2025()};
    collateral.tdx[0].pck_certificate_chain = chain;
  }
  Verdict judge() const {
    Policy policy;
    policy.require_nonce = false;  // nobody asked for these quotes
    policy.boot.allow_any_measurements = true;
    return verify_quote(naming(quote, name), {policy, collateral, cloister::testing::kJune2025});
  }
};

TEST(NamedCertificate, TheOneThatTheQuoteNamesIsAccepted) {
  const Verdict verdict = Named().judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("tdx.pck.identifier")->state, State::kPass);
}

TEST(NamedCertificate, AnotherOneIsNot) {
  for (std::size_t at = 0; at < 36; ++at) {
    Named named;
    named.name[at] ^= 1;
    EXPECT_EQ(failing(named.judge()), Ids{"tdx.pck.identifier"}) << at;
  }
}

}  // namespace
}  // namespace cloister::verify
