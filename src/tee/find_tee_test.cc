#include "tee/find_tee.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "tee/testing/fake_tsm_test_util.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::tee {
namespace {

class FindTee : public testing::FolderTest {
 protected:
  // Describes a machine without any TEE.
  TeeSearch search() const {
    TeeSearch search;
    search.socket_paths = {socket(), (folder_ / "tappd.sock").string()};
    search.default_tsm_root = folder_ / "report";
    search.tdx_device = folder_ / "tdx_guest";
    search.log.runtime.boot_id_file = folder_ / "boot_id";
    return search;
  }
  std::string socket() const { return (folder_ / "dstack.sock").string(); }

  testing::FakeTsmBehaviour simulated() {
    testing::FakeTsmBehaviour behaviour;
    behaviour.quote = [this](const evidence::ReportData& data) { return *simulator_->quote(data); };
    return behaviour;
  }

  std::unique_ptr<Tee> simulator_ = testing::make_simulator();
};

TEST_F(FindTee, NothingIsFoundAndSaidWhereItWasLookedFor) {
  const auto found = find_tee(TeeChoice::kAuto, search());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->tee, nullptr);
  for (const std::string& place : {socket(), (folder_ / "report").string(), (folder_ / "tdx_guest").string()}) {
    EXPECT_NE(found->reason.find(place), std::string::npos) << found->reason;
  }
  for (const TeeInterface& interface : look_for_tees(search())) {
    EXPECT_FALSE(interface.found) << interface.name;
    EXPECT_FALSE(interface.detail.empty()) << interface.name;
  }
}

TEST_F(FindTee, TheAgentIsPreferred) {
  const testing::AgentProcess agent(socket());
  const testing::FakeTsm kernel(folder_ / "report", simulated());
  const auto interfaces = look_for_tees(search());
  EXPECT_EQ(std::count_if(interfaces.begin(), interfaces.end(), [](const auto& i) { return i.found; }), 2);
  EXPECT_EQ(kernel.reports, 0) << "looking takes no quote";
  const auto found = find_tee(TeeChoice::kAuto, search());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_NE(found->reason.find("--tee dstack"), std::string::npos) << found->reason;
  EXPECT_TRUE(found->tee->derive_key("x"));
}

TEST_F(FindTee, ConfigfsIsNext) {
  const testing::FakeTsm kernel(folder_ / "report", simulated());
  const auto found = find_tee(TeeChoice::kAuto, search());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_NE(found->reason.find("provider tdx_guest"), std::string::npos) << found->reason;
  EXPECT_EQ(found->tee->type(), "insecure_simulator");
}

TEST_F(FindTee, WhatIsFoundAndDoesNotWorkIsAnErrorAndNotSkipped) {
  // A socket that nobody listens on: only the file is left.
  {
    const testing::AgentProcess agent(socket());
    std::filesystem::rename(socket(), folder_ / "kept");
  }
  std::filesystem::rename(folder_ / "kept", socket());
  const testing::FakeTsm kernel(folder_ / "report", simulated());
  const auto found = find_tee(TeeChoice::kAuto, search());
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("--tee dstack"), std::string::npos) << found.error().message;
  EXPECT_TRUE(find_tee(TeeChoice::kTsm, search()));
}

TEST_F(FindTee, ADeviceThatIsNoneIsAnError) {
  ASSERT_TRUE(write_file_atomically(folder_ / "tdx_guest", "", 0600));
  const auto found = find_tee(TeeChoice::kAuto, search());
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("--tee tdx-guest"), std::string::npos) << found.error().message;
}

TEST_F(FindTee, WhatIsNamedMustBeThere) {
  TeeSearch named = search();
  named.socket = (folder_ / "other.sock").string();
  EXPECT_FALSE(find_tee(TeeChoice::kAuto, named));
  named = search();
  named.tsm_root = folder_ / "other";
  EXPECT_FALSE(find_tee(TeeChoice::kAuto, named));
  for (const TeeChoice choice : {TeeChoice::kDstack, TeeChoice::kTsm, TeeChoice::kTdxGuest}) {
    EXPECT_FALSE(find_tee(choice, search()));
  }
}

}  // namespace
}  // namespace cloister::tee
