// Recorded quotes with the collateral of their time: the verdict that each has to get, with every byte of them changed, too.
#include "verify/quote.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "verify/tdx/collateral_cache.h"
#include "verify/testing/recorded_tdx.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): recorded evidence only

Verdict judge(ByteView quote, const Policy& policy, const Collateral& collateral, UnixSeconds time,
              TdxCollateralCache* cache = nullptr) {
  return verify_quote(quote, {policy, collateral, time, cache});
}

// Leaves out the checks of measurements, which are tested elsewhere.
Ids skipped_of_tdx(const Verdict& verdict) {
  Ids out;
  for (const std::string& id : ids_in(verdict, State::kSkipped)) {
    if (id.starts_with("tdx.") && !id.starts_with("tdx.measurements")) out.insert(id);
  }
  return out;
}

struct Row {
  const char* what;
  std::function<Bytes()> quote;
  std::function<std::vector<TdxCollateral>()> collateral;
  UnixSeconds time;
  Ids failing;
  bool some_skipped;
  const char* tcb_status;  // null: none was determined
};

auto file(const char* name) {
  return [name] { return recorded_quote(name); };
}
std::vector<TdxCollateral> none() { return {}; }
std::vector<TdxCollateral> of_2023() { return {collateral_of_2023()}; }
std::vector<TdxCollateral> of_2025() { return {bundle_of_2025()}; }
std::vector<TdxCollateral> of_2026() { return {collateral_of_2026()}; }
std::vector<TdxCollateral> of_sgx() { return {recorded_bundle("sgx_v3_00a067.collateral.json")}; }
std::vector<TdxCollateral> of_all() { return {of_sgx()[0], of_2023()[0], of_2025()[0], of_2026()[0]}; }

// Checks each line of the README next to the recorded quotes.
TEST(RecordedQuotes, GetTheVerdictThatIsKnownOfThem) {
  // Intel's signing certificate in the 2025 bundle was not valid in 2023.
  const Ids not_yet_valid = {"tdx.collateral.tcb_info.chain", "tdx.collateral.qe_identity.chain"};
  const auto with = [](Ids ids, const Ids& more) {
    ids.insert(more.begin(), more.end());
    return ids;
  };
  const auto synthetic = [] { return vector_bytes("tdx/intel_qvl_synthetic/quote.dat"); };
  const Row rows[] = {
      {"up to date", file("v4_b0c06f_uptodate.bin"), of_2025, kJune2025, {}, false, "UpToDate"},
      {"up to date, collateral found among others",
       file("v4_b0c06f_uptodate.bin"),
       of_all,
       kJune2025,
       {},
       false,
       "UpToDate"},
      {"up to date, no collateral", file("v4_b0c06f_uptodate.bin"), none, kJune2025, {}, true, nullptr},
      {"TCB not supported", file("v4_b0c06f_platform2.hex"), of_2025, kJune2025, {"tdx.tcb.platform"}, true, nullptr},
      {"as it came, followed by a sentence",
       [] { return vector_bytes("tdx/v4_50806f.bin"); },
       of_2023,
       kJune2023,
       {"tdx.quote.form"},
       true,
       nullptr},
      {"TCB not supported in 2023", quote_of_2023, of_2023, kJune2023,
       with(not_yet_valid, {"tdx.tcb.platform", "tdx.td_attributes.sept_ve_disable"}), true, nullptr},
      {"debug VM", file("v4_50806f_DEBUG.bin"), none, kJune2023, {"tdx.td_attributes.debug"}, true, nullptr},
      {"TD report 1.5, TCB info alone", file("v5_td15_90c06f.bin"), of_2026, kFebruary2026, {}, true, nullptr},
      {"padded with 3065 zeros", file("ccel/cos113_quote_8000.bin"), none, kJune2025, {}, true, nullptr},
      {"collateral of another platform",
       file("ccel/cos113_quote_8000.bin"),
       of_2025,
       kJune2025,
       {"tdx.fmspc"},
       true,
       nullptr},
      {"several collaterals of other platforms",
       file("ccel/cos113_quote_8000.bin"),
       of_all,
       kJune2025,
       {},
       true,
       nullptr},
      {"SGX quote", file("sgx_v3_00a067.bin"), of_sgx, kJune2025, {"tdx.quote.form"}, true, nullptr},
      {"TDREPORT",
       [] { return vector_bytes("tdx/tdreport_raw_1024.bin"); },
       none,
       kJune2025,
       {"tdx.quote.form"},
       true,
       nullptr},
      {"synthetic, no chain",
       synthetic,
       none,
       kJune2025,
       {"tdx.pck_chain", "tdx.td_attributes.sept_ve_disable", "tdx.xfam"},
       true,
       nullptr},
  };
  for (const Row& row : rows) {
    Collateral collateral;
    collateral.tdx = row.collateral();
    const Verdict verdict = judge(row.quote(), any_code(), collateral, row.time);
    EXPECT_EQ(failing(verdict), row.failing) << row.what << "\n" << to_text(verdict, false);
    EXPECT_EQ(!skipped_of_tdx(verdict).empty(), row.some_skipped) << row.what << "\n" << to_text(verdict, false);
    EXPECT_EQ(verdict.facts.contains("tcb_status"), row.tcb_status != nullptr) << row.what;
    if (row.tcb_status != nullptr) {
      EXPECT_EQ(verdict.facts["tcb_status"], row.tcb_status);
    }
    EXPECT_NE(verdict.outcome(), row.failing.empty() ? Outcome::kRejected : Outcome::kAccepted) << row.what;
  }
}

TEST(RecordedQuotes, FactsOfTheOneThatIsUpToDate) {
  const Verdict verdict = judge(recorded_quote("v4_b0c06f_uptodate.bin"), any_code(), {of_2025()}, kJune2025);
  const Json& facts = verdict.facts;
  EXPECT_EQ(facts["tee_type"], "tdx");
  EXPECT_EQ(facts["judged_at"], "2025-06-21T10:00:00Z");
  EXPECT_EQ(facts["fmspc"], "b0c06f000000");
  EXPECT_EQ(facts["advisory_ids"], Json::array());
  EXPECT_EQ(facts["tcb_date"], "2024-03-13T00:00:00Z");
  EXPECT_EQ(facts["tcb_status_parts"], Json({{"platform", "UpToDate"}, {"qe", "UpToDate"}, {"module", "UpToDate"}}));
  EXPECT_EQ(facts["evaluation_data_numbers"], Json({{"tcb_info", 17}, {"qe_identity", 17}}));
  EXPECT_EQ(facts["collateral_expires"], "2025-07-19T10:00:35Z");
  EXPECT_EQ(facts["td_attribute_names"], Json::array({"SEPT_VE_DISABLE"}));
  EXPECT_EQ(facts["xfam"], "e702060000000000");
  EXPECT_EQ(facts["ppid_sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(facts["rtmr3"].get<std::string>().size(), 96u);
  EXPECT_EQ(facts.dump().find("\"ppid\""), std::string::npos);
}

TEST(RecordedQuotes, ATdReport15IsJudgedByBothSvns) {
  const Verdict verdict = judge(recorded_quote("v5_td15_90c06f.bin"), any_code(), {of_2026()}, kFebruary2026);
  EXPECT_EQ(verdict.find("tdx.tcb.platform")->actual, "UpToDate at launch, UpToDate now");
  EXPECT_EQ(verdict.find("tdx.tcb.module")->actual, "TDX_01 minor 11 UpToDate, TDX_01 minor 13 UpToDate");
  EXPECT_EQ(verdict.find("tdx.collateral.tcb_info.signature")->state, State::kPass);
  EXPECT_EQ(verdict.find("tdx.mr_service_td")->state, State::kPass);
  EXPECT_EQ(verdict.facts["tee_tcb_svn2"].get<std::string>().substr(0, 6), "0d0104");
}

// The README next to the recorded quotes says that the collateral is valid for 2025-06-19T10:32:27Z <= T < 2025-07-19T10:00:35Z.
TEST(RecordedQuotes, CollateralHasItsTime) {
  const Bytes quote = recorded_quote("v4_b0c06f_uptodate.bin");
  const Collateral collateral{of_2025()};
  const UnixSeconds first = *from_rfc3339("2025-06-19T10:32:27Z"), end = *from_rfc3339("2025-07-19T10:00:35Z");
  EXPECT_EQ(failing(judge(quote, any_code(), collateral, first)), Ids{});
  EXPECT_EQ(failing(judge(quote, any_code(), collateral, first - 1)), Ids{"tdx.collateral.qe_identity.window"});
  EXPECT_EQ(failing(judge(quote, any_code(), collateral, end - 1)), Ids{});
  EXPECT_EQ(failing(judge(quote, any_code(), collateral, end)), Ids{"tdx.collateral.pck_crl.window"});
  for (const UnixSeconds far : {UnixSeconds{0}, UnixSeconds{4102444800}}) {
    EXPECT_TRUE(failing(judge(quote, any_code(), collateral, far)).contains("tdx.collateral.tcb_info.window"));
  }
}

// tdx/mutations.json, with the check that has to notice.
TEST(RecordedQuotes, RecordedMutations) {
  const std::map<std::string, std::string> check_of = {
      {"quote signature", "tdx.quote.signature"},
      {"structure: unknown TEE type", "tdx.quote.form"},
      {"quote signature (and DEBUG policy)", "tdx.quote.signature"},
      {"key not on the curve or QE binding", "tdx.qe_report.binding"},
      {"QE report signature", "tdx.qe_report.signature"},
      {"QE key binding", "tdx.qe_report.binding"},
  };
  const Bytes base = recorded_quote("v4_b0c06f_uptodate.bin");
  const Collateral collateral{of_2025()};
  const auto mutations = codec::parse_json(vector_text("tdx/mutations.json"));
  ASSERT_TRUE(mutations);
  for (const Json& mutation : (*mutations)["cases"]) {
    Bytes changed = base;
    changed.at(mutation["offset"]) ^= (*mutations)["xor"].get<std::uint8_t>();
    const Verdict verdict = judge(changed, any_code(), collateral, kJune2025);
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
    EXPECT_TRUE(failing(verdict).contains(check_of.at(mutation["must_fail"]))) << mutation["what"];
  }
}

// Which check has to notice a change at each place of a quote (Intel TDX DCAP Quoting Library API, appendix A.3).
struct Region {
  std::size_t begin, end;
  const char* check;
};

std::vector<Region> regions_of(const Bytes& quote) {
  const bool v5 = quote[0] == 5;
  const auto length_at = [&quote](std::size_t at, std::size_t size) {
    std::size_t out = 0;
    for (std::size_t i = size; i-- > 0;) out = out << 8 | quote.at(at + i);
    return out;
  };
  const std::size_t body = v5 ? 54 : 48;
  const std::size_t signature_size = body + (v5 ? length_at(50, 4) : 584);
  const std::size_t data = signature_size + 4;
  const std::size_t authentication = data + 134 + 450, inner = authentication + length_at(authentication - 2, 2);
  const std::size_t pem = inner + 6, end = data + length_at(signature_size, 4);
  EXPECT_EQ(end, pem + length_at(inner + 2, 4));
  const char *form = "tdx.quote.form", *signature = "tdx.quote.signature", *qe = "tdx.qe_report.signature";
  std::vector<Region> out = {{0, 8, form}, {8, 12, signature}, {12, 28, form}, {28, 48, signature}};
  if (v5) out.push_back({48, 54, form});
  const std::vector<Region> rest = {{body, signature_size, signature},
                                    {signature_size, data, form},
                                    {data, data + 128, signature},
                                    {data + 128, data + 134, form},
                                    {data + 134, data + 134 + 448, qe},
                                    {authentication - 2, authentication, form},
                                    {authentication, inner, "tdx.qe_report.binding"},
                                    {inner, pem, form},
                                    {pem, end, "tdx.pck_chain"},
                                    {end, quote.size(), form}};
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

void every_byte_counts(const Bytes& quote, const Collateral& collateral, UnixSeconds time) {
  const Policy policy = any_code();
  TdxCollateralCache cache;
  EXPECT_EQ(failing(judge(quote, policy, collateral, time, &cache)), Ids{});
  std::size_t changed_bytes = 0;
  for (const Region& region : regions_of(quote)) {
    for (std::size_t i = region.begin; i < region.end; ++i, ++changed_bytes) {
      Bytes changed = quote;
      changed[i] ^= 1;
      const Verdict verdict = judge(changed, policy, collateral, time, &cache);
      ASSERT_EQ(verdict.outcome(), Outcome::kRejected) << "byte " << i;
      const Check* check = verdict.find(region.check);
      ASSERT_TRUE(check != nullptr && check->state == State::kFail)
          << "byte " << i << ": expected " << region.check << " to fail\n"
          << to_text(verdict, false);
    }
  }
  EXPECT_EQ(changed_bytes, quote.size());
}

TEST(RecordedQuotes, EveryByteOfAVersion4QuoteCounts) {
  every_byte_counts(recorded_quote("v4_b0c06f_uptodate.bin"), {of_2025()}, kJune2025);
}

TEST(RecordedQuotes, EveryByteOfAVersion5QuoteCounts) {
  every_byte_counts(recorded_quote("v5_td15_90c06f.bin"), {of_2026()}, kFebruary2026);
}

TEST(RecordedQuotes, CutAnywhereTheyAreNone) {
  const Bytes quote = recorded_quote("v4_b0c06f_uptodate.bin");
  const Policy policy = any_code();
  const std::size_t end = regions_of(quote).back().begin;
  for (std::size_t size = 0; size < end; ++size) {
    ASSERT_EQ(failing(judge(ByteView(quote).first(size), policy, {}, kJune2025)), Ids{"tdx.quote.form"}) << size;
  }
  EXPECT_EQ(failing(judge(ByteView(quote).first(end), policy, {}, kJune2025)), Ids{});
}

// Changes every part of the collateral, in steps of bytes: the text of the documents, the lists, the signatures, the
// chains.
TEST(RecordedQuotes, EveryPartOfTheCollateralCounts) {
  const Bytes quote = recorded_quote("v4_b0c06f_uptodate.bin");
  const Policy policy = any_code();
  const TdxCollateral good = bundle_of_2025();
  const auto expect_rejected = [&](const TdxCollateral& changed, const char* part, std::size_t at) {
    const Verdict verdict = judge(quote, policy, {{changed}}, kJune2025);
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << part << " " << at;
    Ids own;
    for (const std::string& id : failing(verdict)) {
      if (id.starts_with(std::string("tdx.collateral.") + part)) own.insert(id);
    }
    EXPECT_FALSE(own.empty()) << part << " " << at << to_text(verdict, false);
  };
  struct {
    const char* part;
    std::string TdxCollateral::*text;
  } const texts[] = {{"tcb_info.", &TdxCollateral::tcb_info},
                     {"tcb_info.signature", &TdxCollateral::tcb_info_signature},
                     {"tcb_info.", &TdxCollateral::tcb_info_issuer_chain},
                     {"qe_identity.", &TdxCollateral::qe_identity},
                     {"qe_identity.signature", &TdxCollateral::qe_identity_signature},
                     {"qe_identity.", &TdxCollateral::qe_identity_issuer_chain},
                     {"pck_crl.", &TdxCollateral::pck_crl_issuer_chain}};
  constexpr std::size_t kStep = 13;  // prime, so that it hits every kind of place
  for (const auto& entry : texts) {
    for (std::size_t i = 0; i < (good.*entry.text).size(); i += kStep) {
      TdxCollateral changed = good;
      std::string& text = changed.*entry.text;
      text[i] = static_cast<char>(text[i] ^ 1);
      expect_rejected(changed, entry.part, i);
    }
  }
  struct {
    const char* part;
    Bytes TdxCollateral::*list;
  } const lists[] = {{"root_crl.", &TdxCollateral::root_ca_crl}, {"pck_crl.", &TdxCollateral::pck_crl}};
  for (const auto& entry : lists) {
    for (std::size_t i = 0; i < (good.*entry.list).size(); i += kStep) {
      TdxCollateral changed = good;
      (changed.*entry.list)[i] ^= 1;
      expect_rejected(changed, entry.part, i);
    }
  }
}

TEST(CollateralCache, ChangesNoVerdict) {
  TdxCollateralCache cache(2);
  const Policy policy = any_code();
  const Bytes quotes[] = {recorded_quote("v4_b0c06f_uptodate.bin"), recorded_quote("v4_b0c06f_platform2.hex"),
                          recorded_quote("v5_td15_90c06f.bin")};
  TdxCollateral tampered = bundle_of_2025();
  tampered.tcb_info_signature[5] ^= 1;
  const Collateral collaterals[] = {{of_2025()}, {of_2026()}, {{tampered}}, {of_all()}, {of_2023()}, {}};
  for (int round = 0; round < 2; ++round) {
    for (const Bytes& quote : quotes) {
      for (const Collateral& collateral : collaterals) {
        for (const UnixSeconds time : {kJune2023, kJune2025, kFebruary2026}) {
          EXPECT_EQ(to_json(judge(quote, policy, collateral, time, &cache)),
                    to_json(judge(quote, policy, collateral, time)));
          EXPECT_LE(cache.size(), 2u);
        }
      }
    }
  }
}

TEST(CollateralCache, IsUsedAgainForTheSameBytesOnly) {
  TdxCollateralCache cache;
  const TdxCollateral collateral = bundle_of_2025();
  const auto first = cache.judge(collateral);
  EXPECT_EQ(cache.judge(collateral), first);
  TdxCollateral other = collateral;
  other.pck_certificate_chain = "x";
  EXPECT_NE(cache.judge(other), first);
  EXPECT_EQ(cache.judge(collateral), first);
  EXPECT_EQ(cache.size(), 2u);
}

// ---- quotes as text ----

TEST(ReadQuoteText, TakesBytesHexAndBase64) {
  const Bytes quote = recorded_quote("v4_b0c06f_uptodate.bin");
  std::string base64 = to_base64(quote);
  for (std::size_t i = 76; i < base64.size(); i += 78) base64.insert(i, "\r\n");
  for (const std::string& text : {std::string(as_text(quote)), to_hex(quote), "0x" + to_hex(quote) + "\n",
                                  " " + to_hex(quote) + " \n", base64, base64 + "\n"}) {
    const auto read = read_quote_text(text);
    ASSERT_TRUE(read) << text.substr(0, 20);
    EXPECT_EQ(*read, quote);
  }
  // Bytes that are a quote are taken unchanged, whatever follows; the verdict says what is wrong with them.
  const auto sentence = read_quote_text(vector_text("tdx/v4_50806f.bin"));
  ASSERT_TRUE(sentence);
  EXPECT_EQ(sentence->size(), 4974u);
}

TEST(ReadQuoteText, WhatIsNoQuoteIsAnError) {
  const Bytes report = vector_bytes("tdx/tdreport_raw_1024.bin");
  const std::string half = to_hex(recorded_quote("v4_b0c06f_uptodate.bin")).substr(0, 2 * 47);
  for (const std::string& text : {std::string(), std::string("hello"), std::string("{}"), std::string(as_text(report)),
                                  to_hex(report), to_base64(report), half, half + "0", std::string(2u << 20, '0')}) {
    EXPECT_FALSE(read_quote_text(text)) << text.substr(0, 20);
  }
}

// A change of one byte does not make a quote something else.
TEST(ReadQuoteText, DamagedQuotesAreStillQuotes) {
  const Bytes quote = recorded_quote("v4_b0c06f_uptodate.bin");
  for (std::size_t i = 0; i < 48; ++i) {
    Bytes changed = quote;
    changed[i] ^= 0xff;
    EXPECT_TRUE(read_quote_text(as_text(changed))) << i;
    EXPECT_TRUE(read_quote_text(to_hex(changed))) << i;
  }
}

}  // namespace
}  // namespace cloister::verify
