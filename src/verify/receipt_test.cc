// Recorded receipts and reports of other services: the verdicts about them.
#include "verify/receipt.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "verify/check_list.h"
#include "verify/report.h"

namespace cloister::verify {
namespace {

using testing::vector_text;

constexpr UnixSeconds kServed = 1750000000;
// The bodies that the recorded hashes are the hashes of.
constexpr std::string_view kRequest = R"({"messages":[{"content":"hi","role":"user"}],"model":"demo-model"})";
constexpr std::string_view kResponse = R"({"choices":[],"id":"chatcmpl-123"})";

using Ids = std::set<std::string>;

Ids ids(const Verdict& verdict, State state) {
  Ids out;
  for (const Check& check : verdict.checks) {
    EXPECT_NE(find_meaning(check.id), nullptr) << check.id << " is not in checks.def";
    if (check.state == state) out.insert(check.id);
  }
  return out;
}

Json recorded(const std::string& file) {
  const auto json = codec::parse_json(vector_text(file));
  EXPECT_TRUE(json) << file;
  return json ? *json : Json();
}

struct Recorded {
  std::string receipt, keyset;
  ReceiptEvidence evidence() const {
    ReceiptEvidence out;
    out.receipt = receipt;
    out.keyset = keyset;
    out.request = as_bytes(kRequest);
    out.response = as_bytes(kResponse);
    out.id = "chatcmpl-123";
    out.model = "demo-model";
    return out;
  }
};

Recorded genuine() {
  return {codec::write_json(recorded("signatures/aci_receipt_ed25519.json").at("document")),
          recorded("e2ee/aci_keyset_and_report_data.json").at("keyset_jcs")};
}

TEST(RecordedReceipt, IsSignedByItsKeysetAndUndeterminedWithoutAQuote) {
  const Recorded own = genuine();
  const Verdict verdict = verify_receipt(own.evidence(), {{}, {}, kServed + 60});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(ids(verdict, State::kFail), Ids{});
  EXPECT_EQ(ids(verdict, State::kSkipped),
            (Ids{"receipt.keyset_attested", "receipt.known_answers", "receipt.served_model", "receipt.upstream"}));
  EXPECT_EQ(verdict.find("receipt.signature")->state, State::kPass);
  EXPECT_EQ(verdict.find("receipt.request_hash")->state, State::kPass);
  EXPECT_EQ(verdict.find("receipt.response_hash")->state, State::kPass);
}

TEST(RecordedReceipt, AnyEncodingOfTheDocumentVerifies) {
  Recorded own = genuine();
  own.receipt = codec::parse_json(own.receipt)->dump(4);
  EXPECT_EQ(verify_receipt(own.evidence(), {{}, {}, kServed + 60}).find("receipt.signature")->state, State::kPass);
}

// Flips the text of the recorded receipt, one bit at a time.
TEST(RecordedReceipt, EveryFlippedBitIsRejected) {
  const Recorded own = genuine();
  for (std::size_t bit = 0; bit < 8 * own.receipt.size(); ++bit) {
    Recorded changed = own;
    changed.receipt[bit / 8] = static_cast<char>(changed.receipt[bit / 8] ^ (1 << bit % 8));
    const Verdict verdict = verify_receipt(changed.evidence(), {{}, {}, kServed + 60});
    ASSERT_EQ(verdict.outcome(), Outcome::kRejected) << changed.receipt;
  }
}

TEST(RecordedReceipt, AfterTheKeysetsEndItIsRejected) {
  const Recorded own = genuine();
  EXPECT_EQ(ids(verify_receipt(own.evidence(), {{}, {}, 1800000000}), State::kFail), Ids{"keyset.not_after"});
  EXPECT_EQ(ids(verify_receipt(own.evidence(), {{}, {}, kServed - 301}), State::kFail), Ids{"receipt.served_at"});
}

TEST(RecordedReport, StubQuotesAreRejected) {
  for (const char* file : {"reports/aci_report_stub.json", "reports/aci_report_ts_stub.json"}) {
    const std::string text = vector_text(file);
    Policy policy;
    policy.service.max_keyset_days = 4000;  // the keyset of these stubs is valid until 2033
    const Verdict verdict = verify_report(text, {}, {policy, {}, kServed});
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << file;
    EXPECT_EQ(ids(verdict, State::kFail), Ids{"tdx.quote.form"}) << to_text(verdict, false);
    EXPECT_EQ(verdict.find("keyset.digest")->state, State::kPass) << file;
    const Check not_after = *verify_report(text, {}, {{}, {}, kServed}).find("keyset.not_after");
    EXPECT_EQ(not_after.state, State::kFail);
    EXPECT_EQ(not_after.detail,
              "the keyset is valid for longer from now than the policy allows (service.max_keyset_days = 731)");
    EXPECT_EQ(not_after.actual.substr(0, 4), "2033") << "both values are times";
  }
}

// The recorded guest's quote in a report of the legacy shape: the report data was made for nobody's address, so its
// halves serve as an Ed25519 key and a nonce.
TEST(RecordedReport, AGuestsQuoteLeadsToIntel) {
  const Json guest = recorded("reports/dstack_quote.json");
  const auto quote = codec::parse_tdx_quote(*from_hex(guest.at("quote").get<std::string>()));
  ASSERT_TRUE(quote) << quote.error().message;
  const ByteView data(quote->report.report_data);
  const Json report = {{"signing_address", to_hex(data.first(32))},
                       {"signing_algo", "ed25519"},
                       {"request_nonce", to_hex(data.subspan(32))},
                       {"intel_quote", guest.at("quote")},
                       {"event_log", guest.at("event_log")}};
  Expected expected;
  std::copy_n(data.begin() + 32, 32, expected.nonce.emplace().begin());
  const Verdict verdict = verify_report(codec::write_json(report), expected, {{}, {}, kServed});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(ids(verdict, State::kFail), Ids{});
  EXPECT_EQ(verdict.facts.value("fmspc", ""), "20a06f000000");
  // The bare answer of the guest's agent binds nobody's keys.
  const Verdict bare = verify_report(codec::write_json(guest), expected, {{}, {}, kServed});
  EXPECT_EQ(bare.outcome(), Outcome::kUndetermined) << to_text(bare, false);
  EXPECT_TRUE(ids(bare, State::kSkipped).contains("report_data.identity"));
}

}  // namespace
}  // namespace cloister::verify
