// The rules for TCB levels and statuses, as tables.
#include "verify/tdx/tcb_levels.h"

#include <gtest/gtest.h>

#include "base/testing/vectors.h"
#include "codec/signed_json.h"

namespace cloister::verify {
namespace {

using codec::TcbStatus;
using enum TcbStatus;

constexpr TcbStatus kAll[] = {kUpToDate,
                              kSwHardeningNeeded,
                              kConfigurationNeeded,
                              kConfigurationAndSwHardeningNeeded,
                              kOutOfDate,
                              kOutOfDateConfigurationNeeded,
                              kRevoked};

TEST(TcbConvergence, Table) {
  for (const TcbStatus platform : kAll) {
    EXPECT_EQ(converge(platform, kUpToDate), platform) << to_text(platform);
    EXPECT_EQ(converge(platform, kRevoked), kRevoked) << to_text(platform);
  }
  struct {
    TcbStatus platform, result;
  } const out_of_date[] = {
      {kUpToDate, kOutOfDate},
      {kSwHardeningNeeded, kOutOfDate},
      {kConfigurationNeeded, kOutOfDateConfigurationNeeded},
      {kConfigurationAndSwHardeningNeeded, kOutOfDateConfigurationNeeded},
      {kOutOfDate, kOutOfDate},
      {kOutOfDateConfigurationNeeded, kOutOfDateConfigurationNeeded},
      {kRevoked, kRevoked},
  };
  for (const auto& row : out_of_date)
    EXPECT_EQ(converge(row.platform, kOutOfDate), row.result) << to_text(row.platform);
}

TEST(TcbRelaunch, Table) {
  const std::string_view advised = "TDRelaunchAdvised", configured = "TDRelaunchAdvisedConfigurationNeeded";
  struct {
    TcbStatus launch, current;
    std::string_view result;
  } const rows[] = {
      {kOutOfDate, kUpToDate, advised},
      {kOutOfDate, kSwHardeningNeeded, advised},
      {kOutOfDate, kConfigurationNeeded, configured},
      {kOutOfDate, kConfigurationAndSwHardeningNeeded, configured},
      {kOutOfDateConfigurationNeeded, kUpToDate, configured},
      {kOutOfDateConfigurationNeeded, kSwHardeningNeeded, configured},
      {kOutOfDateConfigurationNeeded, kConfigurationNeeded, configured},
      {kOutOfDateConfigurationNeeded, kConfigurationAndSwHardeningNeeded, configured},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(advise_relaunch(row.launch, row.current).text(), row.result)
        << to_text(row.launch) << " " << to_text(row.current);
  }
  // Every other pair gives the launch status, unless what runs now is revoked.
  for (const TcbStatus launch : kAll) {
    for (const TcbStatus current : kAll) {
      const bool old = launch == kOutOfDate || launch == kOutOfDateConfigurationNeeded;
      const bool cured = current == kUpToDate || current == kSwHardeningNeeded || current == kConfigurationNeeded ||
                         current == kConfigurationAndSwHardeningNeeded;
      if (!(old && cured)) {
        EXPECT_EQ(advise_relaunch(launch, current).text(), to_text(current == kRevoked ? kRevoked : launch));
      }
    }
  }
}

codec::TcbState state(TcbStatus status, UnixSeconds date = 0, std::vector<std::string> advisories = {}) {
  return {status, date, std::move(advisories)};
}

codec::TcbInfo two_levels() {
  codec::TcbInfo info;
  info.levels = {{{2, 2, 2}, 11, {5, 0, 2}, state(kUpToDate)}, {{2, 2, 1}, 5, {3, 0, 1}, state(kOutOfDate)}};
  return info;
}

TEST(TcbPlatformLevel, Table) {
  struct {
    const char* what;
    ByteArray<16> components;
    std::uint16_t pce_svn;
    TcbSvn svn;
    const char* found;
  } const rows[] = {
      {"exactly the first", {2, 2, 2}, 11, {5, 0, 2}, "UpToDate"},
      {"above the first", {9, 9, 9, 1}, 12, {6, 0, 3, 1}, "UpToDate"},
      {"one component lower", {2, 2, 1}, 11, {5, 0, 2}, "OutOfDate"},
      {"PCESVN lower", {2, 2, 2}, 10, {5, 0, 2}, "OutOfDate"},
      {"TDX component 2 lower", {2, 2, 2}, 11, {5, 0, 1}, "OutOfDate"},
      {"module minor lower, major 0", {2, 2, 2}, 11, {4, 0, 2}, "OutOfDate"},
      {"module minor lower, left to the identity", {2, 2, 2}, 11, {0, 1, 2}, "UpToDate"},
      {"below both by a component", {1, 2, 2}, 11, {5, 0, 2}, "none"},
      {"below both by PCESVN", {2, 2, 2}, 4, {5, 0, 2}, "none"},
      {"below both by the module's late microcode", {2, 2, 2}, 11, {5, 1, 0}, "none"},
      {"nothing at all", {}, 0, {}, "none"},
  };
  const codec::TcbInfo info = two_levels();
  for (const auto& row : rows) {
    PckExtension pck;
    pck.component_svns = row.components;
    pck.pce_svn = row.pce_svn;
    const codec::TcbState* found = find_platform_level(info, pck, row.svn);
    EXPECT_EQ(found == nullptr ? "none" : to_text(found->status), row.found) << row.what;
  }
}

// The last of the 16 counts as much as the first.
TEST(TcbPlatformLevel, EveryComponentIsCompared) {
  PckExtension pck;
  pck.component_svns.fill(7);
  pck.pce_svn = 7;
  TcbSvn svn;
  svn.fill(7);
  codec::TcbInfo info;
  info.levels = {{pck.component_svns, 7, svn, state(kUpToDate)}};
  EXPECT_NE(find_platform_level(info, pck, svn), nullptr);
  for (std::size_t i = 0; i < 16; ++i) {
    PckExtension lower = pck;
    lower.component_svns[i] = 6;
    EXPECT_EQ(find_platform_level(info, lower, svn), nullptr) << i;
    TcbSvn lower_svn = svn;
    lower_svn[i] = 6;
    EXPECT_EQ(find_platform_level(info, pck, lower_svn) != nullptr, i < 2) << i;
    if (i == 1) continue;
    lower_svn[1] = 0;  // the module then has no identity, so 0 and 1 are compared too
    EXPECT_EQ(find_platform_level(info, pck, lower_svn), nullptr) << i;
  }
}

TEST(TcbIsvLevel, TheFirstThatIsReached) {
  const std::vector<codec::IsvLevel> levels = {{4, state(kUpToDate)}, {2, state(kOutOfDate)}};
  EXPECT_EQ(find_isv_level(levels, 5)->status, kUpToDate);
  EXPECT_EQ(find_isv_level(levels, 4)->status, kUpToDate);
  EXPECT_EQ(find_isv_level(levels, 3)->status, kOutOfDate);
  EXPECT_EQ(find_isv_level(levels, 2)->status, kOutOfDate);
  EXPECT_EQ(find_isv_level(levels, 1), nullptr);
  EXPECT_EQ(find_isv_level({}, 1), nullptr);
}

TEST(TcbModule, IdIsHexadecimal) {
  EXPECT_EQ(module_id(1), "TDX_01");
  EXPECT_EQ(module_id(10), "TDX_0A");
  EXPECT_EQ(module_id(16), "TDX_10");
  codec::TcbInfo info;
  info.module = codec::ModuleSigner{};
  info.module_identities = {{16, {}, {}}};
  EXPECT_NE(find_module(info, 16), nullptr);
  EXPECT_EQ(find_module(info, 10), nullptr);
  EXPECT_EQ(find_module(info, 0), nullptr);
  EXPECT_EQ(find_module_signer(info, 0), &*info.module);
  EXPECT_EQ(find_module_signer(info, 1), nullptr);
}

TEST(TcbLevels, AreSortedHighestFirst) {
  codec::TcbInfo info = two_levels();
  std::swap(info.levels[0], info.levels[1]);
  info.module_identities = {{1, {}, {{2, state(kOutOfDate)}, {4, state(kUpToDate)}}}};
  sort_levels(info);
  EXPECT_EQ(info.levels[0].state.status, kUpToDate);
  EXPECT_EQ(info.module_identities[0].levels[0].isv_svn, 4);
  codec::QeIdentity identity;
  identity.levels = {{2, state(kOutOfDate)}, {4, state(kUpToDate)}};
  sort_levels(identity);
  EXPECT_EQ(identity.levels[0].isv_svn, 4);
}

TEST(TcbEvaluation, UnitesDatesAndAdvisories) {
  const codec::TcbState platform = state(kSwHardeningNeeded, 300, {"A", "B"});
  const codec::TcbState qe = state(kUpToDate, 200, {"C", "A"});
  const codec::TcbState module = state(kOutOfDate, 250, {"D", "C"});
  const TcbEvaluation all = evaluate(platform, qe, &module);
  EXPECT_EQ(all.converged, kOutOfDate);
  EXPECT_EQ(all.date, 200);
  EXPECT_EQ(all.advisories, (std::vector<std::string>{"A", "B", "C", "D"}));
  const TcbEvaluation without = evaluate(platform, qe, nullptr);
  EXPECT_EQ(without.converged, kSwHardeningNeeded);
  EXPECT_FALSE(without.module);
  EXPECT_EQ(without.advisories, (std::vector<std::string>{"A", "B", "C"}));
}

// Sorting does not change Intel's published order.
TEST(GenuineTcbInfo, IsPublishedHighestFirst) {
  for (const std::string& file : cloister::testing::those_there(
           {"tdx/v4_50806f.tcbinfo.json", "tdx/v5_td15_90c06f.tcbinfo.json", "tdx/90c06f_20260912.tcbinfo.json"})) {
    const auto split = codec::split_signed_json(testing::vector_text(file), "tcbInfo");
    ASSERT_TRUE(split);
    codec::TcbInfo published = *codec::parse_tcb_info(split->text);
    codec::TcbInfo ordered = published;
    sort_levels(ordered);
    for (std::size_t i = 0; i < published.levels.size(); ++i) {
      EXPECT_EQ(published.levels[i].sgx_svns, ordered.levels[i].sgx_svns) << file << i;
      EXPECT_EQ(published.levels[i].pce_svn, ordered.levels[i].pce_svn) << file << i;
      EXPECT_EQ(published.levels[i].state.date, ordered.levels[i].state.date) << file << i;
    }
  }
}

}  // namespace
}  // namespace cloister::verify
