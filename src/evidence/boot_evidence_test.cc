#include "evidence/boot_evidence.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

TEST(BootEvidence, NothingIsFine) {
  const auto evidence = read_boot_evidence(Json::object());
  ASSERT_TRUE(evidence);
  EXPECT_FALSE(evidence->event_log || evidence->app_compose || evidence->vm_config || evidence->ccel ||
               evidence->gpu_info || evidence->key_custody);
  EXPECT_TRUE(evidence->claims.empty());
  EXPECT_TRUE(read_boot_evidence({{"event_log", nullptr}, {"info", nullptr}, {"vm_config", nullptr}}));
  EXPECT_REFUSED(read_boot_evidence(Json::array()), "document: expected an object, found array");
}

TEST(BootEvidence, TheOutermostTextCountsAndStringsMayHoldJson) {
  const Json tcb_info = {{"app_compose", "inner"}, {"event_log", Json::array()}, {"mrtd", "aa"}};
  const Json info = {{"tcb_info", tcb_info.dump()}, {"vm_config", "{}"}, {"app_id", "bb"}};
  auto evidence = read_boot_evidence({{"info", info.dump()}});
  ASSERT_TRUE(evidence) << evidence.error().message;
  EXPECT_EQ(evidence->app_compose, "inner");
  EXPECT_EQ(evidence->event_log, "[]");
  EXPECT_EQ(evidence->vm_config, "{}");
  ASSERT_EQ(evidence->claims.size(), 2u);
  EXPECT_EQ(evidence->claims[0].where, "info.app_id");
  EXPECT_EQ(evidence->claims[1].where, "info.tcb_info.mrtd");
  evidence = read_boot_evidence({{"info", info},
                                 {"event_log", "[1]"},
                                 {"app_compose", "outer"},
                                 {"vm_config", {{"a", 1}}},
                                 {"ccel", "AQI="},
                                 {"gpu_info", "g"}});
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->event_log, "[1]");
  EXPECT_EQ(evidence->app_compose, "outer");
  EXPECT_EQ(evidence->vm_config, R"({"a":1})");
  EXPECT_EQ(*evidence->ccel, (Bytes{1, 2}));
  EXPECT_EQ(evidence->gpu_info, "g");
}

TEST(BootEvidence, WrongTypesNameTheMember) {
  const std::vector<std::pair<Json, std::string>> cases = {
      {{{"event_log", 1}}, "event_log"},
      {{{"event_log", Json::object()}}, "event_log"},
      {{{"vm_config", Json::array()}}, "vm_config"},
      {{{"app_compose", Json::object()}}, "app_compose"},
      {{{"info", 1}}, "info"},
      {{{"info", "{"}}, "info"},
      {{{"info", "[]"}}, "info"},
      {{{"info", {{"tcb_info", 1}}}}, "tcb_info"},
      {{{"info", {{"app_id", 1}}}}, "app_id"},
      {{{"info", {{"tcb_info", {{"rtmr3", Json::array()}}}}}}, "rtmr3"},
      {{{"ccel", "*"}}, "ccel"},
      {{{"ccel", 1}}, "ccel"},
      {{{"gpu_info", 1}}, "gpu_info"},
      {{{"key_custody", 1}}, "key_custody"},
  };
  for (const auto& [object, member] : cases) {
    const auto evidence = read_boot_evidence(object);
    ASSERT_FALSE(evidence) << object;
    EXPECT_NE(evidence.error().message.find(member), std::string::npos) << evidence.error().message;
  }
}

TEST(BootEvidence, KeyCustody) {
  const Json key = {{"role", "receipt"},
                    {"path", "p"},
                    {"purpose", "u"},
                    {"algo", "ed25519"},
                    {"public_key", "aa"},
                    {"kms_public_key", "bb"},
                    {"signature_chain", Json::array({"cc", "dd"})}};
  const auto parse = [](const Json& custody) { return read_boot_evidence({{"key_custody", custody}}); };
  const auto good = parse({{"provider", "dstack-kms"}, {"keys", Json::array({key})}});
  ASSERT_TRUE(good) << good.error().message;
  ASSERT_EQ(good->key_custody->size(), 1u);
  EXPECT_EQ((*good->key_custody)[0].signature_chain[1], "dd");
  EXPECT_REFUSED(parse({{"provider", "other"}, {"keys", Json::array({key})}}),
                 "key_custody.provider: expected dstack-kms, found other");
  EXPECT_REFUSED(parse({{"keys", Json::array({key})}}), "key_custody.provider: missing");
  EXPECT_REFUSED(parse({{"provider", "dstack-kms"}, {"keys", key}}),
                 "key_custody.keys: expected an array, found object");
  EXPECT_REFUSED(parse({{"provider", "dstack-kms"}, {"keys", std::vector<Json>(33, key)}}),
                 "key_custody.keys: expected at most 32 elements, found 33");
  for (const auto& [name, value] : key.items()) {
    Json without = key;
    without.erase(name);
    EXPECT_FALSE(parse({{"provider", "dstack-kms"}, {"keys", Json::array({without})}})) << name;
  }
  Json three = key;
  three["signature_chain"].push_back("ee");
  EXPECT_REFUSED(parse({{"provider", "dstack-kms"}, {"keys", Json::array({three})}}),
                 "key_custody.keys[0].signature_chain: expected at most 2 elements, found 3");
}

TEST(BootEvidence, OfTheRecordedAciReports) {
  for (const char* file : {"reports/aci_report_stub.json", "reports/aci_report_ts_stub.json"}) {
    const Json report = *codec::parse_json(testing::vector_text(file));
    const auto evidence = read_boot_evidence(report["attestation"]["evidence"]);
    ASSERT_TRUE(evidence) << file << evidence.error().message;
    EXPECT_FALSE(evidence->event_log);
    EXPECT_TRUE(evidence->vm_config);
  }
}

}  // namespace
}  // namespace cloister::evidence
