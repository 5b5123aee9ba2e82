// Receipts. Any text gets a verdict, and a text of an accepted form can be signed again. No receipt is accepted without
// a quote that binds its keyset.
#include "codec/json.h"
#include "evidence/aci/receipt.h"
#include "fuzz.h"
#include "verify/check_list.h"
#include "verify/receipt.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01
  constexpr std::string_view kKeyset =
      R"({"subject":null,"not_after":1790000000,"receipt_signing_keys":[{"key_id":"receipt-1","algo":"ed25519",)"
      R"("public_key":"8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"}],"e2ee_public_keys":[],)"
      R"("tls_public_keys":[]})";
  const auto parsed = evidence::parse_receipt(as_text(input));
  if (parsed) {
    const auto again = codec::parse_json(parsed->signing_input);
    FUZZ_CHECK(again.has_value() && !again->contains("signature"));
  }
  verify::ReceiptEvidence evidence;
  evidence.receipt = as_text(input);
  evidence.keyset = kKeyset;
  evidence.request = ByteView();
  evidence.response = ByteView();
  const verify::Policy policy;
  const verify::Verdict verdict = verify::verify_receipt(evidence, {policy, {}, kTime});
  FUZZ_CHECK(verdict.outcome() != verify::Outcome::kAccepted);
  const verify::Check* form = verdict.find("receipt.form");
  FUZZ_CHECK(form != nullptr && (form->state == verify::State::kPass) == parsed.has_value());
  for (const verify::Check& check : verdict.checks) FUZZ_CHECK(verify::find_meaning(check.id) != nullptr);
  for (const char c : verify::to_text(verdict, false)) FUZZ_CHECK(c == '\n' || (c >= 0x20 && c < 0x7f));
}
