// What dstack 0.6 measures as well as the compose text. No recorded log holds these events; the hashes follow dstack's source.
#include "verify/boot/system_events.h"

#include <gtest/gtest.h>

#include "verify/boot/boot_sample_testing.h"

namespace cloister::verify {
namespace {

using namespace testing;
using evidence::runtime_event;

// The sample with further members in its compose text, and these events before the instance id.
BootSample sample_with(const Json& members, const std::vector<evidence::Event>& events) {
  BootSample sample = make_sample();
  Json compose = *codec::parse_json(*sample.evidence.app_compose);
  for (const auto& [name, value] : members.items()) compose[name] = value;
  sample.evidence.app_compose = compose.dump();
  const auto hash = crypto::sha256(as_bytes(*sample.evidence.app_compose));
  sample.set_event("compose-hash", hash);
  std::copy(hash.begin(), hash.end(), sample.report.mr_config_id.begin() + 1);
  sample.policy.boot.compose_hashes = {bytes_of(hash)};
  sample.events.insert(sample.events.begin() + static_cast<std::ptrdiff_t>(sample.find("instance-id")), events.begin(),
                       events.end());
  sample.seal();
  return sample;
}

evidence::Event hash_event(const char* name, std::string_view text) {
  return runtime_event(name, crypto::sha256(as_bytes(text)));
}

TEST(BootGpuPolicy, IsTheOneInTheMeasuredText) {
  const Json members = {{"requirements", {{"gpu_policy", {{"b", 1}, {"attest_gpu", true}}}}}};
  const BootSample good = sample_with(members, {hash_event("gpu-policy-hash", R"({"attest_gpu":true,"b":1})")});
  EXPECT_EQ(good.judge().find("boot.gpu_policy")->state, State::kPass) << to_text(good.judge(), false);
  EXPECT_EQ(good.failing(), Ids{});
  EXPECT_EQ(sample_with(members, {hash_event("gpu-policy-hash", "{}")}).failing(), Ids{"boot.gpu_policy"});
  // A text without a policy counts as having the empty one.
  EXPECT_EQ(sample_with(Json::object(), {hash_event("gpu-policy-hash", "{}")}).judge().find("boot.gpu_policy")->state,
            State::kPass);
  EXPECT_EQ(sample_with(members, {runtime_event("gpu-policy-hash", filled(31, 1))}).failing(), Ids{"boot.gpu_policy"});
  EXPECT_EQ(make_sample().judge().find("boot.gpu_policy")->state, State::kNotApplicable);
}

TEST(BootInitScripts, AreThoseInTheMeasuredTextInOrder) {
  const Json two = {{"init_script", {"one", "two"}}};
  const auto one_event = hash_event("init-script-hash", "one"), two_event = hash_event("init-script-hash", "two");
  const BootSample good = sample_with(two, {one_event, two_event});
  EXPECT_EQ(good.judge().find("boot.init_scripts")->state, State::kPass);
  EXPECT_EQ(good.failing(), Ids{});
  EXPECT_EQ(sample_with({{"init_script", "one"}}, {one_event}).judge().find("boot.init_scripts")->state, State::kPass);
  EXPECT_EQ(sample_with(two, {two_event, one_event}).failing(), Ids{"boot.init_scripts"});
  EXPECT_EQ(sample_with(two, {one_event}).failing(), Ids{"boot.init_scripts"});
  EXPECT_EQ(sample_with(Json::object(), {one_event}).failing(), Ids{"boot.init_scripts"});
  EXPECT_EQ(sample_with({{"init_script", 7}}, {one_event}).failing(), Ids{"boot.init_scripts"});
}

TEST(BootSystemEvents, AreNotHeldAgainstATextThatNobodyMeasured) {
  BootSample sample = sample_with(Json::object(), {hash_event("gpu-policy-hash", "{}")});
  sample.evidence.app_compose.reset();
  EXPECT_EQ(sample.judge().find("boot.gpu_policy")->state, State::kNotApplicable);
}

}  // namespace
}  // namespace cloister::verify
