#include "verify/nvidia/nvlink.h"

#include <gtest/gtest.h>

#include "verify/check.h"
#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

constexpr std::uint16_t kStatusField = 38;
constexpr std::uint16_t kStatusType = 0x85;

// A report with this NVLink status, in the versioned form; an empty status reports nothing.
SpdmReport saying(const Bytes& status, std::uint8_t feature_flag = 0, std::uint16_t value_type = kStatusType) {
  SpdmReport report;
  report.opaque_version = codec::OpaqueVersion{2, 0, 0};
  report.opaque[36] = {feature_flag, 0};
  report.opaque_value_types[36] = kStatusType;
  if (status.empty()) return report;
  report.opaque[kStatusField] = status;
  report.opaque_value_types[kStatusField] = value_type;
  return report;
}

Check judge(const std::vector<SpdmReport>& gpus, NvlinkRequirement required,
            const Check& topology = not_applicable("nvidia.topology", "")) {
  std::vector<TopologyMember> members;
  for (const SpdmReport& gpu : gpus) members.push_back({&gpu, false});
  return check_nvlink(members, topology, required);
}

TEST(Nvlink, WhatAGpuSays) {
  EXPECT_EQ(nvlink_state(saying({0xaa, 0})), "encrypted");
  EXPECT_EQ(nvlink_state(saying({0xaa})), "encrypted");
  EXPECT_EQ(nvlink_state(saying({0x55, 0})), "clear");
  EXPECT_EQ(nvlink_state(saying({})), "not said");
  for (const Bytes& other : {Bytes{0, 0}, Bytes{1, 0}, Bytes{0xaa, 1}, Bytes{0, 0xaa}}) {
    EXPECT_EQ(nvlink_state(saying(other)), "unknown") << to_hex(other);
  }
  // A value of another type, and the legacy form, report nothing.
  EXPECT_EQ(nvlink_state(saying({0xaa, 0}, 0, 0x86)), "not said");
  SpdmReport legacy;
  legacy.opaque[kStatusField] = {0xaa, 0};
  EXPECT_EQ(nvlink_state(legacy), "not said");
}

TEST(Nvlink, APolicyThatDemandsNothingShowsIt) {
  const Check both = judge({saying({0xaa, 0}), saying({0x55, 0})}, NvlinkRequirement::kAny);
  EXPECT_EQ(both.state, State::kNotApplicable);
  EXPECT_EQ(both.actual, "encrypted and clear");
  EXPECT_EQ(judge({saying({})}, NvlinkRequirement::kAny).actual, "not said");
}

TEST(Nvlink, EncryptedMeansThatEveryGpuSaysSo) {
  const auto required = NvlinkRequirement::kEncrypted;
  EXPECT_EQ(judge({saying({0xaa, 0}, 1), saying({0xaa, 0}, 1)}, required).state, State::kPass);
  for (const Bytes& other : {Bytes{0x55, 0}, Bytes{}, Bytes{0, 0}}) {
    EXPECT_EQ(judge({saying({0xaa, 0}), saying(other)}, required).state, State::kFail) << to_hex(other);
    EXPECT_EQ(judge({saying(other)}, required).state, State::kFail) << to_hex(other);
  }
  EXPECT_EQ(judge({}, required).state, State::kSkipped);
  EXPECT_EQ(check_nvlink({{nullptr, false}}, Check{}, required).state, State::kSkipped);
  EXPECT_TRUE(check_nvlink({{nullptr, false}}, Check{}, required).required);
  EXPECT_FALSE(check_nvlink({{nullptr, false}}, Check{}, NvlinkRequirement::kAny).required);
}

TEST(Nvlink, ProtectedMayAlsoBeOneGpuAloneOrProtectedPcieMode) {
  const auto required = NvlinkRequirement::kProtected;
  EXPECT_EQ(judge({saying({0xaa, 0}), saying({0xaa, 0})}, required).state, State::kPass);
  EXPECT_EQ(judge({saying({})}, required).state, State::kPass);
  EXPECT_EQ(judge({saying({}, 1)}, required).state, State::kFail);  // one of several, according to the GPU itself
  EXPECT_EQ(judge({saying({}), saying({})}, required).state, State::kFail);
  EXPECT_EQ(judge({saying({}), saying({})}, required, passed("nvidia.topology")).state, State::kPass);
  EXPECT_EQ(judge({saying({}), saying({})}, required, skipped("nvidia.topology", "x")).state, State::kSkipped);
  EXPECT_EQ(judge({saying({}), saying({})}, required, failed("nvidia.topology", "x")).state, State::kFail);
}

TEST(Nvlink, InAWholeVerdict) {
  GpuWorld world(2);
  EXPECT_EQ(world.judge().facts["gpus"][0]["nvlink"], "not said");
  EXPECT_EQ(world.judge().facts["gpus"][0]["opaque_data"], "legacy");
  world.policy.nvidia.nvlink = NvlinkRequirement::kEncrypted;
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.nvlink"});
  for (std::size_t i = 0; i < 2; ++i) {
    world.edit_report(i, [](SpdmReport& report) {
      report.opaque_version = codec::OpaqueVersion{2, 0, 0};
      report.opaque[kStatusField] = {0xaa, 0};
      report.opaque_value_types[kStatusField] = kStatusType;
    });
  }
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["gpus"][1]["nvlink"], "encrypted");
  EXPECT_EQ(verdict.facts["gpus"][1]["opaque_data"], "2.0.0");
}

}  // namespace
}  // namespace cloister::verify::testing
