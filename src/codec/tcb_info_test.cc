#include "codec/tcb_info.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "codec/signed_json.h"

namespace cloister::codec {
namespace {

Json components(std::initializer_list<int> first) {
  Json out = Json::array();
  for (const int svn : first) out.push_back({{"svn", svn}});
  while (out.size() < 16) out.push_back({{"svn", 0}});
  return out;
}

Json module_signer() {
  return {
      {"mrsigner", std::string(96, '0')}, {"attributes", "0000000000000000"}, {"attributesMask", "FFFFFFFFFFFFFFFF"}};
}

Json isv_level(int svn, const char* status) {
  return {{"tcb", {{"isvsvn", svn}}}, {"tcbDate", "2024-03-13T00:00:00Z"}, {"tcbStatus", status}};
}

Json tcb_info() {
  Json module = module_signer();
  module["id"] = "TDX_0a";
  module["tcbLevels"] = Json::array({isv_level(4, "UpToDate")});
  const Json level = {
      {"tcb", {{"sgxtcbcomponents", components({2, 255})}, {"pcesvn", 11}, {"tdxtcbcomponents", components({5})}}},
      {"tcbDate", "2024-03-13T00:00:00Z"},
      {"tcbStatus", "SWHardeningNeeded"},
      {"advisoryIDs", {"INTEL-SA-00615"}}};
  return {{"id", "TDX"},
          {"version", 3},
          {"issueDate", "2025-06-19T10:16:03Z"},
          {"nextUpdate", "2025-07-19T10:16:03Z"},
          {"fmspc", "B0C06f000000"},
          {"pceId", "0001"},
          {"tcbType", 0},
          {"tcbEvaluationDataNumber", 17},
          {"tdxModule", module_signer()},
          {"tdxModuleIdentities", Json::array({module})},
          {"tcbLevels", Json::array({level})}};
}

Json qe_identity() {
  return {{"id", "TD_QE"},
          {"version", 2},
          {"issueDate", "2025-06-19T10:32:27Z"},
          {"nextUpdate", "2025-07-19T10:32:27Z"},
          {"tcbEvaluationDataNumber", 17},
          {"miscselect", "01020000"},
          {"miscselectMask", "FFFFFFFF"},
          {"attributes", "11000000000000000000000000000000"},
          {"attributesMask", "FBFFFFFFFFFFFFFF0000000000000000"},
          {"mrsigner", std::string(64, 'D')},
          {"isvprodid", 2},
          {"tcbLevels", Json::array({isv_level(4, "UpToDate"), isv_level(2, "OutOfDate")})}};
}

TEST(TcbInfo, ReadsEveryField) {
  const auto info = parse_tcb_info(write_json(tcb_info()));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->id, "TDX");
  EXPECT_EQ(to_rfc3339(info->issue_date), "2025-06-19T10:16:03Z");
  EXPECT_EQ(to_rfc3339(info->next_update), "2025-07-19T10:16:03Z");
  EXPECT_EQ(to_hex(info->fmspc), "b0c06f000000");
  EXPECT_EQ(to_hex(info->pce_id), "0001");
  EXPECT_EQ(info->evaluation_data_number, 17u);
  ASSERT_TRUE(info->module);
  EXPECT_EQ(to_hex(info->module->attributes_mask), "ffffffffffffffff");
  ASSERT_EQ(info->module_identities.size(), 1u);
  EXPECT_EQ(info->module_identities[0].major, 10);
  EXPECT_EQ(info->module_identities[0].levels.at(0).isv_svn, 4);
  ASSERT_EQ(info->levels.size(), 1u);
  EXPECT_EQ(info->levels[0].sgx_svns, (ByteArray<16>{2, 255}));
  EXPECT_EQ(info->levels[0].tdx_svns, (ByteArray<16>{5}));
  EXPECT_EQ(info->levels[0].pce_svn, 11);
  EXPECT_EQ(to_text(info->levels[0].state.status), "SWHardeningNeeded");
  EXPECT_EQ(to_rfc3339(info->levels[0].state.date), "2024-03-13T00:00:00Z");
  EXPECT_EQ(info->levels[0].state.advisories, std::vector<std::string>{"INTEL-SA-00615"});
}

TEST(QeIdentity, ReadsEveryField) {
  const auto identity = parse_qe_identity(write_json(qe_identity()));
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(identity->id, "TD_QE");
  EXPECT_EQ(identity->misc_select, 0x0201u);
  EXPECT_EQ(identity->misc_select_mask, 0xffffffffu);
  EXPECT_EQ(identity->attributes[0], 0x11);
  EXPECT_EQ(identity->mr_signer[31], 0xdd);
  EXPECT_EQ(identity->isv_prod_id, 2);
  ASSERT_EQ(identity->levels.size(), 2u);
  EXPECT_EQ(identity->levels[1].isv_svn, 2);
  EXPECT_EQ(identity->levels[1].state.status, TcbStatus::kOutOfDate);
}

struct Change {
  const char* what;
  std::function<void(Json&)> apply;
};

TEST(TcbInfo, RefusesWhatIsNotAsPublished) {
  const Change changes[] = {
      {"version 2", [](Json& j) { j["version"] = 2; }},
      {"version as text", [](Json& j) { j["version"] = "3"; }},
      {"another id", [](Json& j) { j["id"] = "SNP"; }},
      {"tcbType 1", [](Json& j) { j["tcbType"] = 1; }},
      {"fmspc too short", [](Json& j) { j["fmspc"] = "B0C06F0000"; }},
      {"fmspc not hex", [](Json& j) { j["fmspc"] = "B0C06F00000X"; }},
      {"pceId too long", [](Json& j) { j["pceId"] = "000000"; }},
      {"date with offset", [](Json& j) { j["issueDate"] = "2025-06-19T10:16:03+00:00"; }},
      {"date with blanks", [](Json& j) { j["nextUpdate"] = " 2025-07-19T10:16:03Z"; }},
      {"day that is none", [](Json& j) { j["nextUpdate"] = "2025-02-30T10:16:03Z"; }},
      {"date as number", [](Json& j) { j["nextUpdate"] = 1752920163; }},
      {"negative evaluation", [](Json& j) { j["tcbEvaluationDataNumber"] = -1; }},
      {"fractional evaluation", [](Json& j) { j["tcbEvaluationDataNumber"] = 17.5; }},
      {"no module", [](Json& j) { j.erase("tdxModule"); }},
      {"module identities as object", [](Json& j) { j["tdxModuleIdentities"] = Json::object(); }},
      {"module id without prefix", [](Json& j) { j["tdxModuleIdentities"][0]["id"] = "01"; }},
      {"module id of three digits", [](Json& j) { j["tdxModuleIdentities"][0]["id"] = "TDX_001"; }},
      {"module twice",
       [](Json& j) {
         Json again = j["tdxModuleIdentities"][0];
         again["id"] = "tdx_0A";
         j["tdxModuleIdentities"].push_back(again);
       }},
      {"module without levels", [](Json& j) { j["tdxModuleIdentities"][0]["tcbLevels"] = Json::array(); }},
      {"no levels", [](Json& j) { j["tcbLevels"] = Json::array(); }},
      {"15 components", [](Json& j) { j["tcbLevels"][0]["tcb"]["sgxtcbcomponents"].erase(15); }},
      {"17 components",
       [](Json& j) {
         j["tcbLevels"][0]["tcb"]["tdxtcbcomponents"].push_back({{"svn", 0}});
       }},
      {"component of 256", [](Json& j) { j["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][3]["svn"] = 256; }},
      {"negative component", [](Json& j) { j["tcbLevels"][0]["tcb"]["sgxtcbcomponents"][3]["svn"] = -1; }},
      {"component without svn", [](Json& j) { j["tcbLevels"][0]["tcb"]["tdxtcbcomponents"][3] = Json::object(); }},
      {"component as number", [](Json& j) { j["tcbLevels"][0]["tcb"]["tdxtcbcomponents"][3] = 1; }},
      {"pcesvn of 65536", [](Json& j) { j["tcbLevels"][0]["tcb"]["pcesvn"] = 65536; }},
      {"no pcesvn", [](Json& j) { j["tcbLevels"][0]["tcb"].erase("pcesvn"); }},
      {"unknown status", [](Json& j) { j["tcbLevels"][0]["tcbStatus"] = "Fine"; }},
      {"status in another case", [](Json& j) { j["tcbLevels"][0]["tcbStatus"] = "uptodate"; }},
      {"advisories as text", [](Json& j) { j["tcbLevels"][0]["advisoryIDs"] = "INTEL-SA-00615"; }},
      {"advisory as number", [](Json& j) { j["tcbLevels"][0]["advisoryIDs"][0] = 615; }},
  };
  for (const Change& change : changes) {
    Json json = tcb_info();
    change.apply(json);
    EXPECT_FALSE(parse_tcb_info(write_json(json))) << change.what;
  }
  for (const char* text : {"", "[]", "{}", "null"}) EXPECT_FALSE(parse_tcb_info(text)) << text;
  std::string twice = write_json(tcb_info());
  twice.insert(twice.size() - 1, R"(,"fmspc":"000000000000")");
  EXPECT_REFUSED(parse_tcb_info(twice), "an object has two members of the same name");
}

TEST(TcbInfo, OfSgxHasNoTdxPart) {
  Json json = tcb_info();
  json["id"] = "SGX";
  json.erase("tdxModule");
  json.erase("tdxModuleIdentities");
  json["tcbLevels"][0]["tcb"].erase("tdxtcbcomponents");
  const auto info = parse_tcb_info(write_json(json));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_FALSE(info->module);
  json["id"] = "TDX";
  EXPECT_REFUSED(parse_tcb_info(write_json(json)), "the member `tdxModule` is missing");
}

TEST(QeIdentity, RefusesWhatIsNotAsPublished) {
  const Change changes[] = {
      {"version 1", [](Json& j) { j["version"] = 1; }},
      {"another id", [](Json& j) { j["id"] = "PCE"; }},
      {"miscselect of 3 bytes", [](Json& j) { j["miscselect"] = "000000"; }},
      {"mask missing", [](Json& j) { j.erase("attributesMask"); }},
      {"signer of 48 bytes", [](Json& j) { j["mrsigner"] = std::string(96, '0'); }},
      {"product of 65536", [](Json& j) { j["isvprodid"] = 65536; }},
      {"no levels", [](Json& j) { j["tcbLevels"] = Json::array(); }},
      {"isvsvn as text", [](Json& j) { j["tcbLevels"][0]["tcb"]["isvsvn"] = "4"; }},
      {"no date", [](Json& j) { j["tcbLevels"][0].erase("tcbDate"); }},
  };
  for (const Change& change : changes) {
    Json json = qe_identity();
    change.apply(json);
    EXPECT_FALSE(parse_qe_identity(write_json(json))) << change.what;
  }
}

TEST(GenuineTcbInfo, AllRecordedOnesAreRead) {
  struct Case {
    const char* file;
    const char* fmspc;
    std::uint32_t evaluation;
    std::size_t modules;
  };
  const std::vector<Case> cases = {{"tdx/v4_50806f.tcbinfo.json", "50806f000000", 15, 0},
                                   {"tdx/v5_td15_90c06f.tcbinfo.json", "90c06f000000", 18, 2},
                                   {"tdx/90c06f_20260912.tcbinfo.json", "90c06f000000", 20, 2}};
  for (const Case& c : testing::those_there(cases, [](const Case& one) { return one.file; })) {
    const auto split = split_signed_json(testing::vector_text(c.file), "tcbInfo");
    ASSERT_TRUE(split);
    const auto info = parse_tcb_info(split->text);
    ASSERT_TRUE(info) << c.file << info.error().message;
    EXPECT_EQ(to_hex(info->fmspc), c.fmspc);
    EXPECT_EQ(info->evaluation_data_number, c.evaluation);
    EXPECT_EQ(info->module_identities.size(), c.modules);
  }
}

TEST(GenuineTcbInfo, SvnsThatNoComponentCanHaveAreRefused) {
  // This document is synthetic.
  const auto synthetic = parse_json(testing::vector_text("tdx/intel_qvl_synthetic/tcbInfo.json"));
  ASSERT_TRUE(synthetic);
  EXPECT_REFUSED(parse_tcb_info(write_json((*synthetic)["tcbInfo"])),
                 "expected `svn` to be a whole number from 0 to 255");
}

}  // namespace
}  // namespace cloister::codec
