// Genuine boots (dstack, Google's COS image) and the verdicts about them, which the vectors' own notes state.
#include <gtest/gtest.h>

#include "base/testing/vectors.h"
#include "codec/tdx_quote.h"
#include "verify/boot/boot_sample_testing.h"
#include "verify/quote.h"

namespace cloister::verify {
namespace {

using cloister::testing::vector_bytes;
using cloister::testing::vector_text;
using testing::BootSample;
using testing::Ids;

Json vector_json(const std::string& file) {
  const auto json = codec::parse_json(vector_text(file));
  EXPECT_TRUE(json) << file;
  return json ? *json : Json();
}

// The recorded answer of a guest agent: a quote and its log.
BootSample recorded(const std::string& file) {
  const Json answer = vector_json(file);
  BootSample sample;
  const auto quote = codec::parse_tdx_quote(*from_hex(answer["quote"].get<std::string>()));
  EXPECT_TRUE(quote) << file;
  if (quote) sample.report = quote->report;
  const auto evidence = evidence::read_boot_evidence(answer);
  EXPECT_TRUE(evidence) << file;
  if (evidence) sample.evidence = *evidence;
  return sample;
}

constexpr const char* kRecorded[] = {"dstack/quote_report_90c06f.json", "dstack/rtmr3_example.report.json",
                                     "reports/dstack_quote.json"};

TEST(RecordedBoots, AllRegistersReplayAndEveryDigestIsRecomputed) {
  for (const char* file : kRecorded) {
    BootSample sample = recorded(file);
    sample.policy.boot.allow_unset_mr_config_id = true;
    const Verdict verdict = sample.judge();
    EXPECT_EQ(sample.failing(), Ids{}) << file << to_text(verdict, false);
    for (const char* id :
         {"boot.event_log.form", "boot.rtmr0", "boot.rtmr1", "boot.rtmr2", "boot.rtmr3", "boot.event.digests",
          "boot.event.names", "boot.events.order", "boot.events.unique", "boot.instance_id", "boot.mr_config_id"}) {
      EXPECT_EQ(verdict.find(id)->state, State::kPass) << file << id;
    }
    EXPECT_EQ(sample.ids(State::kSkipped), Ids{"tdx.measurements"}) << file;
    // Nobody expected any, so these checks do not pass.
    for (const char* id : {"boot.app_id", "boot.key_provider", "boot.compose_hash"}) {
      EXPECT_EQ(verdict.find(id)->state, State::kNotApplicable) << file << id;
    }
  }
}

TEST(RecordedBoots, Of90c06f) {
  const BootSample sample = recorded("dstack/quote_report_90c06f.json");
  EXPECT_EQ(sample.failing(), Ids{"boot.mr_config_id"});  // zero, which nobody allowed
  const Verdict verdict = sample.judge();
  EXPECT_EQ(verdict.facts["key_provider"],
            "local-sgx:1b7a49378403249b6986a907844cab0921eca32dd47e657f3c10311ccaeccf8b");
  EXPECT_EQ(verdict.facts["events_of_the_application"], Json::array({"LIUM_MINER_HOTKEY"}));
  EXPECT_EQ(verdict.find("boot.vm_config")->state, State::kNotApplicable);  // no event to compare it with
  EXPECT_FALSE(verdict.facts.contains("os_image_hash"));
}

TEST(RecordedBoots, TheExampleWithItsComposeText) {
  BootSample sample = recorded("dstack/rtmr3_example.report.json");
  sample.evidence.app_compose = vector_text("dstack/rtmr3_example.app-compose.json");
  sample.policy.boot.allow_unset_mr_config_id = true;
  const Verdict verdict = sample.judge();
  EXPECT_EQ(verdict.find("boot.compose_hash")->state, State::kPass);
  const std::string compose_hash = verdict.facts["compose_hash"];
  EXPECT_EQ(verdict.facts["app_id"], compose_hash.substr(0, 40));
  EXPECT_EQ(verdict.facts["rootfs_hash"], "0d51f07efbbdc35b9f97b65655171e5679df26daa7e247280a91b439f1104035");
  EXPECT_EQ(verdict.facts["app_images_not_pinned"].size(), 1u);
  sample.policy.boot.require_pinned_images = true;
  EXPECT_EQ(sample.failing(), Ids{"boot.images"});
  sample.evidence.app_compose = vector_text("dstack/simulator.app-compose.json");
  EXPECT_EQ(sample.failing(), Ids{"boot.compose_hash"});
}

TEST(RecordedBoots, TheSimulatorsComposeTextHasTheHashOfItsNote) {
  EXPECT_EQ(to_hex(crypto::sha256(as_bytes(vector_text("dstack/simulator.app-compose.json")))),
            "65b4e574f16973956908b6359920593c3b7d9f36f38e81a47f996a0c0d5435bb");
}

// The quote and the information of one machine, which were recorded separately.
BootSample with_info() {
  BootSample sample = recorded("reports/dstack_quote.json");
  const auto info = evidence::read_boot_evidence({{"info", vector_json("reports/dstack_info.json")}});
  EXPECT_TRUE(info);
  if (info) {
    sample.evidence.claims = info->claims;
    sample.evidence.app_compose = info->app_compose;
  }
  return sample;
}

TEST(RecordedBoots, InformationThatAgreesWithItsQuote) {
  BootSample sample = with_info();
  const Verdict verdict = sample.judge();
  EXPECT_EQ(sample.failing(), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("boot.compose_hash")->state, State::kPass);
  EXPECT_EQ(verdict.find("boot.mr_config_id")->state, State::kPass);  // form 1
  EXPECT_EQ(verdict.find("boot.tcb_info")->state, State::kPass);
  EXPECT_EQ(verdict.facts["os_image_hash"], "6809f73ca56b2dfba9918bdb9709608f30284af4fbb50e707e3270a0436f1657");
  // With everything expected the boot as a whole is accepted.
  BootPolicy& boot = sample.policy.boot;
  const auto& report = sample.report;
  boot.mr_td = {testing::bytes_of(report.mr_td)};
  boot.rtmr0 = {testing::bytes_of(report.rtmr[0])};
  boot.rtmr1 = {testing::bytes_of(report.rtmr[1])};
  boot.rtmr2 = {testing::bytes_of(report.rtmr[2])};
  boot.compose_hashes = {*from_hex("62dd36d22b7d704aaa4d598226801ed4e6a3bfd17dde762b2efd9876768be800")};
  boot.app_ids = {*from_hex("ab84a54bdaf082be00ea40e8e37bdeb5c15c58de")};
  EXPECT_EQ(sample.judge().outcome(), Outcome::kAccepted) << to_text(sample.judge(), false);
}

TEST(RecordedBoots, TheLogInsideTcbInfoReplaysToo) {
  BootSample sample = with_info();
  const auto info = evidence::read_boot_evidence({{"info", vector_json("reports/dstack_info.json")}});
  ASSERT_TRUE(info && info->event_log);
  sample.evidence.event_log = info->event_log;
  EXPECT_EQ(sample.failing(), Ids{});
}

TEST(RecordedBoots, EachEventAlteredOrDroppedFailsItsRegister) {
  const BootSample genuine = recorded("reports/dstack_quote.json");
  const Json log = *codec::parse_json(*genuine.evidence.event_log);
  for (std::size_t i = 0; i < log.size(); ++i) {
    const std::string id = "boot.rtmr" + std::to_string(log[i]["imr"].get<int>());
    BootSample dropped = genuine;
    dropped.edit_log([=](Json& l) { l.erase(i); });
    EXPECT_TRUE(dropped.failing().contains(id)) << i;
    BootSample doubled = genuine;
    doubled.edit_log([=](Json& l) { l.insert(l.begin() + static_cast<std::ptrdiff_t>(i), Json(l[i])); });
    EXPECT_TRUE(doubled.failing().contains(id)) << i;
    BootSample changed = genuine;
    changed.edit_log([=](Json& l) { l[i]["digest"] = std::string(96, 'a'); });
    const bool runtime = log[i]["event_type"] == evidence::kRuntimeEventType;
    EXPECT_TRUE(changed.failing().contains(runtime ? "boot.event.digests" : id)) << i;
  }
}

TEST(RecordedBoots, AQuoteByItselfIsJudgedWithWhatStandsBesideIt) {
  const Bytes quote = *from_hex(vector_json("reports/dstack_quote.json")["quote"].get<std::string>());
  const BootSample sample = with_info();
  const Context context{sample.policy, sample.collateral, 1750500000};
  Verdict verdict = verify_quote(quote, context, sample.evidence);
  EXPECT_EQ(verdict.find("boot.rtmr3")->state, State::kPass);
  EXPECT_EQ(verdict.find("boot.compose_hash")->state, State::kPass);
  verdict = verify_quote(quote, context);
  EXPECT_EQ(verdict.find("boot.rtmr3")->state, State::kNotApplicable);
  EXPECT_EQ(verdict.find("tdx.measurements")->state, State::kSkipped);
  verdict = verify_quote({}, context);
  EXPECT_EQ(verdict.find("boot.rtmr3")->state, State::kSkipped);
}

TEST(RecordedBoots, LogsOfOneMachineDoNotFitAnother) {
  BootSample sample = recorded(kRecorded[0]);
  sample.evidence.event_log = recorded(kRecorded[1]).evidence.event_log;
  EXPECT_EQ(sample.failing(), (Ids{"boot.rtmr0", "boot.rtmr1", "boot.rtmr2", "boot.rtmr3"}));
}

TEST(RecordedCcel, OfCosReplaysAllFourRegistersOfItsQuote) {
  BootSample sample;
  const auto quote = codec::parse_tdx_quote(vector_bytes("tdx/ccel/cos113_quote_8000.bin"));
  ASSERT_TRUE(quote);
  sample.report = quote->report;
  sample.evidence.ccel = vector_bytes("tdx/ccel/cos113_ccel_data.bin");
  EXPECT_EQ(sample.failing(), Ids{}) << to_text(sample.judge(), false);
  EXPECT_EQ(sample.judge().find("boot.ccel.replay")->state, State::kPass);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(sample.judge().find("boot.rtmr" + std::to_string(i))->state, State::kPass);
  }
  // The first digest of the log, and another machine's log.
  BootSample changed = sample;
  changed.evidence.ccel->at(32 + 33 + 14) ^= 1;
  EXPECT_EQ(changed.failing(), (Ids{"boot.ccel.replay", "boot.rtmr0"}));
  changed.evidence.ccel = vector_bytes("dstack/ccel_sample.bin");
  EXPECT_TRUE(changed.failing().contains("boot.ccel.replay"));
}

}  // namespace
}  // namespace cloister::verify
