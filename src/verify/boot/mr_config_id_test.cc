// The forms of MRCONFIGID; the values of the third form come from dstack's own tests (dstack SDKs, MrConfigV3).
#include "verify/boot/mr_config_id.h"

#include <gtest/gtest.h>

#include "verify/boot/boot_sample_testing.h"

namespace cloister::verify {
namespace {

using namespace testing;
using evidence::runtime_event;

constexpr const char* kAll = "50fc88d0a462b6a0b06ba25859abc02e98c2a8d9bd000b7dc0d8bae65e71ecbb";

void set_config_id(BootSample& sample, std::uint8_t form, const std::string& hash_hex) {
  const Bytes hash = *from_hex(hash_hex);
  sample.report.mr_config_id = {form};
  std::copy(hash.begin(), hash.end(), sample.report.mr_config_id.begin() + 1);
}

// The machine of dstack's tests: app id 11.., compose hash 22.., KMS 33.., instance 44...
BootSample third_form_sample() {
  BootSample sample = make_sample();
  sample.evidence.app_compose.reset();
  sample.set_event("app-id", filled(20, 0x11));
  sample.set_event("compose-hash", filled(32, 0x22));
  sample.set_event("instance-id", filled(20, 0x44));
  sample.set_event("key-provider", as_bytes(R"({"name":"kms","id":")" + std::string(64, '3') + R"("})"));
  sample.seal();
  set_config_id(sample, 3, kAll);
  return sample;
}

Check judged(const BootSample& sample) { return *sample.judge().find("boot.mr_config_id"); }

void insert_before(BootSample& sample, std::string_view name, evidence::Event event) {
  sample.events.insert(sample.events.begin() + static_cast<std::ptrdiff_t>(sample.find(name)), std::move(event));
  sample.seal();
}

TEST(MrConfigId, ThirdFormIsMadeAgainFromTheLog) {
  const Check check = judged(third_form_sample());
  EXPECT_EQ(check.state, State::kPass) << check.detail;
  EXPECT_EQ(check.detail, "it fixes compose_hash, key_provider, app_id, instance_id, key_provider_id");
}

TEST(MrConfigId, ThirdFormFixesWhateverTheHostPutIn) {
  // {"compose_hash":"22..","key_provider":"kms","version":3}; the missing members are left to the log alone.
  const std::string text = std::string("dstack-mr-config-v3:") + '\0' + R"({"compose_hash":")" + std::string(64, '2') +
                           R"(","key_provider":"kms","version":3})";
  BootSample sample = third_form_sample();
  set_config_id(sample, 3, to_hex(crypto::sha256(as_bytes(text))));
  EXPECT_EQ(judged(sample).detail, "it fixes compose_hash, key_provider");
  const std::string scripts = std::string("dstack-mr-config-v3:") + '\0' + R"({"compose_hash":")" +
                              std::string(64, '2') + R"(","init_script_hashes":[")" + std::string(64, '5') +
                              R"("],"key_provider":"kms","version":3})";
  set_config_id(sample, 3, to_hex(crypto::sha256(as_bytes(scripts))));
  EXPECT_EQ(judged(sample).state, State::kFail) << "no such script was logged";
  insert_before(sample, "instance-id", runtime_event("init-script-hash", filled(32, 0x55)));
  EXPECT_EQ(judged(sample).detail, "it fixes compose_hash, key_provider, init_script_hashes");
}

TEST(MrConfigId, ThirdFormOfAnotherApplicationFails) {
  for (const char* event : {"compose-hash", "app-id", "instance-id"}) {
    BootSample sample = third_form_sample();
    sample.set_event(event, filled(std::string_view(event) == "compose-hash" ? 32 : 20, 0x77));
    sample.seal();
    EXPECT_EQ(judged(sample).state, State::kFail) << event;
  }
  for (const char* provider :
       {R"({"name":"kms","id":"33"})", R"({"name":"none","id":""})", R"({"name":"new","id":""})"}) {
    BootSample sample = third_form_sample();
    sample.set_event("key-provider", as_bytes(provider));
    sample.seal();
    EXPECT_EQ(judged(sample).state, State::kFail) << provider;
  }
  BootSample tail = third_form_sample();
  tail.report.mr_config_id[33] = 1;
  EXPECT_EQ(judged(tail).state, State::kFail);
}

TEST(MrConfigId, MoreInitScriptsThanDstackBindsAreNotTried) {
  BootSample sample = third_form_sample();
  for (int i = 0; i < 200; ++i) insert_before(sample, "instance-id", runtime_event("init-script-hash", filled(32, 1)));
  EXPECT_EQ(judged(sample).detail, "it fixes compose_hash, key_provider, app_id, instance_id, key_provider_id");
}

}  // namespace
}  // namespace cloister::verify
