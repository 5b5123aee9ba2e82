// Tests each check of a boot with evidence that passes it, and with evidence that fails that check alone.
#include "verify/boot/boot_checks.h"

#include <gtest/gtest.h>

#include "codec/ccel.h"
#include "verify/boot/boot_sample_testing.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

using namespace testing;
using evidence::runtime_event;

TEST(Boot, AllPassesAndEveryIdIsThereOnce) {
  const BootSample sample = make_sample();
  const Verdict verdict = sample.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(sample.ids(State::kNotApplicable), (Ids{"boot.ccel.form", "boot.ccel.replay", "boot.gpu_attestation",
                                                    "boot.gpu_policy", "boot.init_scripts", "boot.measurement_list"}));
  Verdict skipped_all;
  skip_boot("why", skipped_all);
  Ids all, skipped_ids;
  for (const Check& check : verdict.checks) EXPECT_TRUE(all.insert(check.id).second) << check.id;
  for (const Check& check : skipped_all.checks) skipped_ids.insert(check.id);
  EXPECT_EQ(all, skipped_ids);
  for (const std::string& id : all) EXPECT_NE(find_meaning(id), nullptr) << id;
  EXPECT_EQ(verdict.facts["app_id"], std::string(40, '2'));
  EXPECT_EQ(verdict.facts["key_provider"], "kms:aabb");
  EXPECT_EQ(verdict.facts["app_allowed_envs"], Json::array({"TOKEN"}));
}

TEST(Boot, EachCheckOfTheListCanFail) {
  const struct {
    const char* name;
    std::function<void(BootSample&)> change;
    Ids failing;
  } cases[] = {
      {"log is no log", [](BootSample& s) { s.evidence.event_log = "{}"; }, {"boot.event_log.form"}},
      {"RTMR0",
       [](BootSample& s) {
         s.events[0] = boot_event(0, 1, "other");
         s.edit_log([&](Json& log) { log[0]["digest"] = to_hex(s.events[0].digest); });
       },
       {"boot.rtmr0"}},
      {"RTMR1",
       [](BootSample& s) { s.edit_log([](Json& log) { log[1]["digest"] = std::string(96, 'a'); }); },
       {"boot.rtmr1"}},
      {"RTMR2", [](BootSample& s) { s.edit_log([](Json& log) { log.erase(2); }); }, {"boot.rtmr2"}},
      {"RTMR3", [](BootSample& s) { s.report.rtmr[3][0] ^= 1; }, {"boot.rtmr3"}},
      {"digest",
       [](BootSample& s) { s.edit_log([](Json& log) { log[4]["digest"] = std::string(96, 'a'); }); },
       {"boot.event.digests"}},
      {"pre-image",
       [](BootSample& s) { s.edit_log([](Json& log) { log[4]["preimage"] = "00"; }); },
       {"boot.event.digests"}},
      {"compose hash not expected",
       [](BootSample& s) { s.policy.boot.compose_hashes = {filled(32, 9)}; },
       {"boot.compose_hash"}},
      {"app id not expected", [](BootSample& s) { s.policy.boot.app_ids = {filled(20, 9)}; }, {"boot.app_id"}},
      {"OS image not expected",
       [](BootSample& s) { s.policy.boot.os_image_hashes = {filled(32, 9)}; },
       {"boot.os_image_hash"}},
      {"key provider not expected",
       [](BootSample& s) { s.policy.boot.key_providers = {"kms:aabc"}; },
       {"boot.key_provider"}},
      {"instance id of another size",
       [](BootSample& s) {
         s.set_event("instance-id", filled(19, 1));
         s.seal();
       },
       {"boot.instance_id"}},
      {"MRCONFIGID of another application",
       [](BootSample& s) { s.report.mr_config_id[1] ^= 1; },
       {"boot.mr_config_id"}},
      {"MRCONFIGID with something behind it",
       [](BootSample& s) { s.report.mr_config_id[47] = 1; },
       {"boot.mr_config_id"}},
      {"MRCONFIGID of an unknown form", [](BootSample& s) { s.report.mr_config_id[0] = 4; }, {"boot.mr_config_id"}},
      {"MRCONFIGID form 0 with a rest", [](BootSample& s) { s.report.mr_config_id[0] = 0; }, {"boot.mr_config_id"}},
      {"info repeats another MRTD", [](BootSample& s) { s.evidence.claims[0].value[0] = '2'; }, {"boot.tcb_info"}},
      {"info repeats another app id", [](BootSample& s) { s.evidence.claims[1].value[0] = '3'; }, {"boot.tcb_info"}},
      {"vm_config is no JSON", [](BootSample& s) { s.evidence.vm_config = "{"; }, {"boot.vm_config"}},
      {"root of the KMS not expected",
       [](BootSample& s) { s.policy.boot.kms_root_keys = {filled(33, 2)}; },
       {"boot.kms_custody"}},
      {"MRTD not expected", [](BootSample& s) { s.policy.boot.mr_td = {filled(48, 9)}; }, {"tdx.measurements"}},
      {"RTMR3 not expected", [](BootSample& s) { s.policy.boot.rtmr3 = {filled(48, 9)}; }, {"tdx.measurements"}},
      {"CCEL is no log", [](BootSample& s) { s.evidence.ccel = Bytes{1}; }, {"boot.ccel.form"}},
      {"CCEL of another machine", [](BootSample& s) { s.evidence.ccel = codec::write_ccel({}); }, {"boot.ccel.replay"}},
  };
  for (const auto& one : cases) {
    BootSample sample = make_sample();
    one.change(sample);
    EXPECT_EQ(sample.failing(), one.failing) << one.name << "\n" << to_text(sample.judge(), false);
    EXPECT_EQ(sample.judge().outcome(), Outcome::kRejected) << one.name;
  }
}

// ---- the log, altered on its way ----

TEST(BootLogAltered, EveryRuntimeEventDroppedDuplicatedOrSwappedIsNoticed) {
  const BootSample genuine = make_sample();
  for (std::size_t i = 0; i < genuine.events.size(); ++i) {
    const std::string id = "boot.rtmr" + std::to_string(genuine.events[i].imr);
    BootSample dropped = genuine;
    dropped.edit_log([=](Json& log) { log.erase(i); });
    EXPECT_TRUE(dropped.failing().contains(id)) << "dropped " << i;
    BootSample duplicated = genuine;
    duplicated.edit_log([=](Json& log) { log.push_back(log[i]); });
    EXPECT_TRUE(duplicated.failing().contains(id)) << "duplicated " << i;
    if (i + 1 < genuine.events.size() && genuine.events[i].imr == genuine.events[i + 1].imr) {
      BootSample swapped = genuine;
      swapped.edit_log([=](Json& log) { std::swap(log[i], log[i + 1]); });
      EXPECT_TRUE(swapped.failing().contains(id)) << "swapped " << i;
    }
  }
}

TEST(BootLogAltered, EveryPayloadAndDigestBitIsNoticed) {
  const BootSample genuine = make_sample();
  for (std::size_t i = 0; i < genuine.events.size(); ++i) {
    for (const char* member : {"digest", "event_payload"}) {
      BootSample changed = genuine;
      bool edited = false;
      changed.edit_log([&](Json& log) {
        std::string hex = log[i][member];
        if (hex.empty()) return;
        hex[0] = hex[0] == '0' ? '1' : '0';
        log[i][member] = hex;
        edited = true;
      });
      // In registers 0 to 2 nothing covers the payload, and nothing reads it.
      if (edited && (genuine.events[i].imr == 3 || std::string_view(member) == "digest")) {
        EXPECT_EQ(changed.judge().outcome(), Outcome::kRejected) << i << member;
      }
    }
  }
}

// ---- pitfalls (docs/pitfalls.md) ----

TEST(BootPitfall, P1AllFourRegistersAreReplayed) {
  for (int i = 0; i < 4; ++i) {
    BootSample sample = make_sample();
    sample.report.rtmr[i][47] ^= 1;
    sample.policy.boot.rtmr0 = sample.policy.boot.rtmr1 = sample.policy.boot.rtmr2 = {};
    EXPECT_EQ(sample.failing(), Ids{"boot.rtmr" + std::to_string(i)});
  }
}

TEST(BootPitfall, P2TheDigestIsRecomputedFromThePayload) {
  BootSample sample = make_sample();
  const std::size_t index = sample.find("compose-hash");
  sample.edit_log([=](Json& log) { log[index]["event_payload"] = std::string(64, '9'); });
  EXPECT_EQ(sample.failing(), (Ids{"boot.event.digests", "boot.rtmr3"}));
  EXPECT_EQ(sample.judge().find("boot.compose_hash")->state, State::kSkipped);
  EXPECT_FALSE(sample.judge().facts.contains("compose_hash"));
  // Even with a matching digest the register does not match.
  sample.edit_log([=](Json& log) {
    log[index]["digest"] = to_hex(evidence::runtime_event_digest("compose-hash", Bytes(32, 0x99)));
  });
  EXPECT_EQ(sample.failing(), Ids{"boot.rtmr3"});
}

TEST(BootPitfall, P3ASecondIdentityEventIsRefusedAndNeverWins) {
  for (const char* name : {"compose-hash", "app-id", "instance-id", "os-image-hash", "key-provider"}) {
    BootSample sample = make_sample();
    sample.events.push_back(runtime_event(name, filled(32, 9)));
    sample.seal();  // really measured, by the workload
    EXPECT_EQ(sample.failing(), (Ids{"boot.events.order", "boot.events.unique"})) << name;
    // Before system-ready it does not pass either.
    std::swap(sample.events[sample.events.size() - 1], sample.events[sample.events.size() - 2]);
    sample.seal();
    EXPECT_TRUE(sample.failing().contains("boot.events.unique")) << name;
  }
}

// The machine measured another application, which then emitted the events of a second, harmless-looking boot. The host
// relabels the true entries: their digests still extend the register.
TEST(BootPitfall, P3AnEntryOfRegister3WhoseMeaningNobodyKnowsIsRefused) {
  BootSample sample = make_sample();
  BootSample machine = sample;
  machine.set_event("app-id", filled(20, 0x66));
  machine.set_event("compose-hash", filled(32, 0x66));
  std::vector<evidence::Event>& events = machine.events;
  events.insert(events.end(), sample.events.begin() + 3, sample.events.end());
  machine.seal();
  EXPECT_TRUE(machine.failing().contains("boot.events.unique"));
  for (const std::uint32_t type : {4u, 0u, 0x80000003u, 0x08000002u}) {
    machine.edit_log([=](Json& log) {
      for (std::size_t i = 3; i < 11; ++i) {
        log[i]["event_type"] = type;
        log[i]["event"] = log[i]["event_payload"] = "";
      }
    });
    EXPECT_EQ(machine.failing(), Ids{"boot.event_log.form"}) << type;
    EXPECT_FALSE(machine.judge().facts.contains("compose_hash")) << type;
  }
  // With the type of a runtime event, name and payload count.
  machine.edit_log([](Json& log) {
    for (std::size_t i = 3; i < 11; ++i) log[i]["event_type"] = evidence::kRuntimeEventType;
  });
  EXPECT_TRUE(machine.failing().contains("boot.event.digests"));
}

TEST(BootPitfall, P3OnlyEventsBeforeSystemReadyCount) {
  BootSample sample = make_sample();
  const std::size_t index = sample.find("compose-hash");
  std::rotate(sample.events.begin() + static_cast<std::ptrdiff_t>(index),
              sample.events.begin() + static_cast<std::ptrdiff_t>(index) + 1, sample.events.end());
  sample.seal();
  EXPECT_EQ(sample.failing(), Ids{"boot.events.order"});
  EXPECT_EQ(sample.judge().find("boot.compose_hash")->state, State::kSkipped);
}

TEST(BootPitfall, P4CcelRegistersCountFromOne) {
  BootSample sample = make_sample();
  std::vector<codec::CcelEvent> events;
  for (const evidence::Event& event : sample.events) {
    if (event.imr != 3) events.push_back({event.imr, event.event_type, event.digest, event.payload});
  }
  sample.evidence.ccel = codec::write_ccel(events);
  EXPECT_EQ(sample.failing(), Ids{});
  EXPECT_EQ(sample.judge().find("boot.ccel.replay")->state, State::kPass);
  // Counted as if from zero, and as if from two.
  std::vector<codec::CcelEvent> shifted = events;
  for (codec::CcelEvent& event : shifted) event.rtmr = event.rtmr == 0 ? 0 : event.rtmr - 1;
  sample.evidence.ccel = codec::write_ccel(shifted);
  EXPECT_EQ(sample.failing(), Ids{"boot.ccel.replay"});
  for (codec::CcelEvent& event : events) ++event.rtmr;
  sample.evidence.ccel = codec::write_ccel(events);
  EXPECT_EQ(sample.failing(), Ids{"boot.ccel.form"}) << "RTMR3 belongs to the running system";
}

TEST(BootPitfall, P5TheComposeTextIsHashedByteForByte) {
  BootSample sample = make_sample();
  *sample.evidence.app_compose += "\n";
  EXPECT_EQ(sample.failing(), Ids{"boot.compose_hash"});
  sample = make_sample();
  sample.evidence.app_compose = Json::parse(*sample.evidence.app_compose).dump(2);  // the same object
  EXPECT_EQ(sample.failing(), Ids{"boot.compose_hash"});
}

TEST(BootPitfall, P6WhatIsServedBesideTheQuoteIsNoFact) {
  BootSample sample = make_sample();
  sample.evidence.vm_config = Json{{"os_image_hash", std::string(64, '9')}, {"cpu_count", 1}}.dump();
  const Verdict verdict = sample.judge();
  EXPECT_EQ(verdict.find("boot.vm_config")->state, State::kNotApplicable);  // genuine deployments differ here
  EXPECT_EQ(verdict.facts["os_image_hash"], std::string(64, '3'));          // the event decides
  for (const char* name : {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"}) {
    BootSample lying = make_sample();
    lying.evidence.claims = {{std::string("info.tcb_info.") + name, name, std::string(96, '9')}};
    EXPECT_EQ(lying.failing(), Ids{"boot.tcb_info"}) << name;
  }
}

TEST(BootPitfall, P39ZeroMrConfigIdOnlyWhereThePolicyAllowsIt) {
  BootSample sample = make_sample();
  sample.report.mr_config_id = {};
  EXPECT_EQ(sample.failing(), Ids{"boot.mr_config_id"});
  sample.policy.boot.allow_unset_mr_config_id = true;
  EXPECT_EQ(sample.failing(), Ids{});
}

BootSample with_compose_file(const std::string& file) {
  BootSample sample = make_sample();
  Json compose = Json::parse(*sample.evidence.app_compose);
  compose["docker_compose_file"] = file;
  sample.evidence.app_compose = compose.dump();
  const auto hash = crypto::sha256(as_bytes(*sample.evidence.app_compose));
  sample.set_event("compose-hash", hash);
  std::copy(hash.begin(), hash.end(), sample.report.mr_config_id.begin() + 1);
  sample.seal();
  expect_it_all(sample);
  return sample;
}

TEST(BootPitfall, P40ImagesByTagAreListedAndRefusedWhereAskedFor) {
  BootSample sample = with_compose_file("services:\n  a:\n    image: vendor/app:latest\n");
  EXPECT_EQ(sample.failing(), Ids{"boot.images"});
  sample.policy.boot.require_pinned_images = false;
  EXPECT_EQ(sample.failing(), Ids{});
  const Verdict verdict = sample.judge();
  EXPECT_EQ(verdict.facts["app_images_not_pinned"], Json::array({"line 3: image: vendor/app:latest"}));
  EXPECT_NE(verdict.find("boot.images")->detail.find("vendor/app:latest"), std::string::npos);
  EXPECT_EQ(verdict.facts["app_allowed_envs"], Json::array({"TOKEN"}));  // may change behaviour, so it is shown
}

TEST(BootPitfall, P40WhatAnotherRunnerStartsIsNotRead) {
  BootSample sample = make_sample();
  Json compose = Json::parse(*sample.evidence.app_compose);
  compose["runner"] = "bash";
  compose["bash_script"] = "docker run vendor/app:latest";
  compose.erase("docker_compose_file");
  sample.evidence.app_compose = compose.dump();
  const auto hash = crypto::sha256(as_bytes(*sample.evidence.app_compose));
  sample.set_event("compose-hash", hash);
  std::copy(hash.begin(), hash.end(), sample.report.mr_config_id.begin() + 1);
  sample.seal();
  expect_it_all(sample);
  EXPECT_EQ(sample.failing(), Ids{});
  EXPECT_EQ(sample.judge().find("boot.images")->state, State::kSkipped);
}

TEST(BootPitfall, P41TwoRolesMustNotShareADerivationPath) {
  BootSample sample = make_sample();
  (*sample.evidence.key_custody)[1].path = (*sample.evidence.key_custody)[0].path;
  EXPECT_EQ(sample.failing(), Ids{"boot.kms_custody"});
}

// Keys of another seed or another application in front of a machine that measured its own key provider.
TEST(BootCustody, LeadsToTheKeyProviderThatWasMeasured) {
  const auto provider_of = [](std::uint8_t mark) {
    return R"({"name":"kms","id":")" + to_hex(crypto::compress_secp256k1(test_key(mark).public_key())) + R"("})";
  };
  for (const RootKind root : {RootKind::kVendor, RootKind::kInsecureSimulator}) {
    BootSample sample = make_sample();
    sample.root = root;
    sample.policy.boot.key_providers.clear();
    sample.policy.boot.kms_root_keys.clear();
    const auto state = [&] { return sample.judge().find("boot.kms_custody")->state; };
    EXPECT_EQ(state(), State::kNotApplicable) << "the key that was measured is none that chains lead to";
    sample.set_event("key-provider", as_bytes(provider_of(1)));
    sample.seal();
    EXPECT_EQ(state(), root == RootKind::kVendor ? State::kNotApplicable : State::kPass)
        << "anybody can be a provider of real hardware";
    sample.evidence.key_custody = {custody_of("receipt", filled(20, 0x23), 3)};
    EXPECT_EQ(sample.failing(), Ids{"boot.kms_custody"}) << "another application";
    sample.evidence.key_custody = {custody_of("receipt", filled(20, 0x22), 3)};
    sample.set_event("key-provider", as_bytes(provider_of(9)));
    sample.seal();
    EXPECT_EQ(sample.failing(), Ids{"boot.kms_custody"}) << "another root";
    sample.policy.boot.kms_root_keys = {bytes_of(crypto::compress_secp256k1(test_key(1).public_key()))};
    EXPECT_EQ(sample.failing(), Ids{"boot.kms_custody"})
        << "the policy names the chains' root, and the machine measured another";
  }
}

// ---- order and uniqueness ----

TEST(BootEvents, OrderOfTheBoot) {
  const struct {
    const char* name;
    std::function<void(std::vector<evidence::Event>&)> change;
  } cases[] = {
      {"system-preparing missing", [](auto& e) { e.erase(e.begin() + 3); }},
      {"an own event first", [](auto& e) { e.insert(e.begin() + 3, runtime_event("own", {})); }},
      {"compose hash before app id", [](auto& e) { std::swap(e[4], e[5]); }},
      {"system-ready missing", [](auto& e) { e.pop_back(); }},
      {"key provider after system-ready", [](auto& e) { std::swap(e[9], e[10]); }},
  };
  for (const auto& one : cases) {
    BootSample sample = make_sample();
    one.change(sample.events);
    sample.seal();
    EXPECT_EQ(sample.failing(), Ids{"boot.events.order"}) << one.name;
  }
}

TEST(BootEvents, WhatMayBeThere) {
  BootSample sample = make_sample();
  const auto at = sample.events.begin() + static_cast<std::ptrdiff_t>(sample.find("instance-id"));
  sample.events.insert(
      at, {runtime_event("init-script-hash", filled(32, 1)), runtime_event("init-script-hash", filled(32, 2)),
           runtime_event("gpu-policy-hash", filled(32, 3)), runtime_event("vendor.own", {})});
  sample.events.push_back(runtime_event("LIUM_MINER_HOTKEY", filled(4, 1)));
  sample.events.push_back(runtime_event("LIUM_MINER_HOTKEY", filled(4, 2)));
  sample.seal();
  // They match no part of the compose text; system_events_test.cc tests that.
  EXPECT_EQ(sample.failing(), (Ids{"boot.gpu_policy", "boot.init_scripts"}));
  EXPECT_EQ(sample.judge().facts["events_of_the_application"], Json::array({"LIUM_MINER_HOTKEY", "LIUM_MINER_HOTKEY"}));
}

// A guest without dstack measures none of these events: its log holds what its applications measure, or nothing.
TEST(BootEvents, OfAGuestWithoutDstack) {
  BootSample sample = make_sample();
  sample.events.erase(sample.events.begin() + 3, sample.events.end());
  sample.events.push_back(runtime_event("cloister-policy", filled(32, 1)));
  sample.seal();
  sample.policy.boot = {};
  sample.evidence.claims.clear();
  sample.evidence.vm_config.reset();
  EXPECT_EQ(sample.failing(), Ids{}) << to_text(sample.judge(), false);
  EXPECT_EQ(sample.judge().find("boot.events.order")->state, State::kNotApplicable);
  EXPECT_EQ(sample.judge().find("boot.rtmr3")->state, State::kPass);
  // With one event of a boot, all of the boot's events are expected.
  sample.events.push_back(runtime_event("compose-hash", filled(32, 1)));
  sample.seal();
  EXPECT_EQ(sample.failing(), Ids{"boot.events.order"});
}

TEST(BootEvents, ANameThatTradesBytesWithItsPayloadIsRefused) {
  BootSample sample = make_sample();
  sample.events.push_back(runtime_event("a:b", Bytes{'c'}));
  sample.seal();
  EXPECT_EQ(sample.failing(), Ids{"boot.event.names"});
  // This is why: both readings of the same bytes have one digest.
  EXPECT_EQ(evidence::runtime_event_digest("a:b", Bytes{'c'}),
            evidence::runtime_event_digest("a", Bytes{'b', ':', 'c'}));
}

TEST(BootEvents, AnEventOfAnotherTypeInRegister3ProvesNothing) {
  BootSample sample = make_sample();
  evidence::Event foreign = runtime_event("os-image-hash", filled(32, 0x33));
  foreign.event_type = 13;
  sample.events[sample.find("os-image-hash")] = foreign;
  sample.seal();
  EXPECT_EQ(sample.failing(), Ids{"boot.event_log.form"});
}

TEST(BootEvents, StrippedLogsAndVersion2) {
  BootSample sample = make_sample();
  sample.edit_log([](Json& log) {
    for (Json& entry : log) {
      if (entry["event_type"] == evidence::kRuntimeEventType) entry["digest"] = "";
    }
  });
  EXPECT_EQ(sample.failing(), Ids{});
  sample = make_sample();
  for (evidence::Event& event : sample.events) {
    if (event.event_type != evidence::kRuntimeEventType) continue;
    event.digest = crypto::sha384(as_bytes(evidence::runtime_event_text_v2(event.name, event.payload)));
  }
  sample.seal();
  EXPECT_EQ(sample.failing(), (Ids{"boot.event.digests", "boot.rtmr3"}));  // read as version 1
  sample.edit_log([](Json& log) {
    for (Json& entry : log) {
      if (entry["event_type"] != evidence::kRuntimeEventType) continue;
      entry["version"] = 2;
      entry["preimage"] = to_hex(as_bytes(evidence::runtime_event_text_v2(
          entry["event"].get<std::string>(), *from_hex(entry["event_payload"].get<std::string>()))));
    }
  });
  EXPECT_EQ(sample.failing(), Ids{});
}

// ---- absence ----

TEST(BootWithoutLog, IsUndeterminedWhereThePolicyAsksForWhatALogShows) {
  BootSample sample = make_sample();
  sample.evidence.event_log.reset();
  EXPECT_EQ(sample.failing(), Ids{});
  EXPECT_EQ(sample.judge().outcome(), Outcome::kUndetermined);
  const Ids skipped_ids = sample.ids(State::kSkipped);
  for (const char* id : {"boot.event_log.form", "boot.rtmr0", "boot.rtmr3", "boot.compose_hash", "boot.app_id",
                         "boot.os_image_hash", "boot.key_provider", "boot.images", "boot.kms_custody"}) {
    EXPECT_TRUE(skipped_ids.contains(id)) << id;
  }
  sample.policy.boot = {};
  EXPECT_EQ(sample.ids(State::kSkipped), Ids{"tdx.measurements"});
  sample.policy.boot.require_event_log = true;
  EXPECT_TRUE(sample.ids(State::kSkipped).contains("boot.event_log.form"));
}

TEST(BootWithoutLog, TheFirmwaresOwnLogReplaysAllFour) {
  BootSample sample = make_sample();
  std::vector<codec::CcelEvent> all, events;
  for (const evidence::Event& event : sample.events) {
    all.push_back({event.imr, event.event_type, event.digest, event.payload});
    if (event.imr != 3) events.push_back(all.back());
  }
  sample.evidence.event_log.reset();
  sample.policy.boot = {};
  sample.evidence.ccel = codec::write_ccel(all);
  EXPECT_EQ(sample.failing(), Ids{"boot.ccel.form"}) << "entries of RTMR3 that nobody can read";
  sample.evidence.ccel = codec::write_ccel(events);
  sample.report.rtmr[3] = {};
  EXPECT_EQ(sample.failing(), Ids{});
  EXPECT_EQ(sample.judge().find("boot.rtmr3")->state, State::kPass);
  sample.report.rtmr[3][0] ^= 1;
  EXPECT_EQ(sample.failing(), (Ids{"boot.ccel.replay", "boot.rtmr3"}));
}

TEST(BootIdentity, AnExpectedEventThatTheLogLacksFails) {
  const struct {
    const char* event;
    const char* id;
  } cases[] = {
      {"app-id", "boot.app_id"}, {"os-image-hash", "boot.os_image_hash"}, {"key-provider", "boot.key_provider"}};
  for (const auto& one : cases) {
    BootSample sample = make_sample();
    sample.events.erase(sample.events.begin() + static_cast<std::ptrdiff_t>(sample.find(one.event)));
    sample.seal();
    EXPECT_TRUE(sample.failing().contains(one.id)) << one.event;
    sample.policy.boot.app_ids.clear();
    sample.policy.boot.os_image_hashes.clear();
    sample.policy.boot.key_providers.clear();
    EXPECT_EQ(sample.failing(), Ids{}) << one.event;
  }
}

TEST(BootIdentity, SecondFormOfMrConfigId) {
  BootSample sample = make_sample();
  Bytes text = bytes_of(crypto::sha256(as_bytes(*sample.evidence.app_compose)));
  append(text, filled(20, 0x22));
  text.push_back(2);  // kms
  append(text, Bytes{0xaa, 0xbb});
  const auto hash = crypto::keccak256(text);
  sample.report.mr_config_id = {2};
  std::copy(hash.begin(), hash.end(), sample.report.mr_config_id.begin() + 1);
  EXPECT_EQ(sample.failing(), Ids{});
  sample.report.mr_config_id[40] = 1;
  EXPECT_EQ(sample.failing(), Ids{"boot.mr_config_id"});
}

TEST(BootIdentity, KeyProviderThatIsNoJsonFails) {
  for (const char* payload : {"", "kms", R"({"name":"kms"})", R"({"name":"kms","id":"xy"})", "[]"}) {
    BootSample sample = make_sample();
    sample.set_event("key-provider", as_bytes(payload));
    sample.seal();
    EXPECT_EQ(sample.failing(), Ids{"boot.key_provider"}) << payload;
  }
}

TEST(BootGpuAttestation, OfTheMeasuredSystem) {
  const std::string text = "nvattest output";
  const auto sample_with = [&](const Json& event) {
    BootSample sample = make_sample();
    sample.events.insert(sample.events.begin() + static_cast<std::ptrdiff_t>(sample.find("instance-id")),
                         runtime_event("gpu-attestation", as_bytes(event.dump())));
    sample.seal();
    sample.evidence.gpu_info = text;
    return sample;
  };
  const Json good = {{"version", 1},      {"provider", "nvidia"},
                     {"devices", 1},      {"cc_mode", "on"},
                     {"devtools", false}, {"evidence_sha256", to_hex(crypto::sha256(as_bytes(text)))}};
  BootSample sample = sample_with(good);
  EXPECT_EQ(sample.judge().find("boot.gpu_attestation")->state, State::kPass);
  *sample.evidence.gpu_info += " ";
  EXPECT_EQ(sample.failing(), Ids{"boot.gpu_attestation"});
  for (const auto& [member, value] : std::vector<std::pair<const char*, Json>>{
           {"devtools", true}, {"cc_mode", "devtools"}, {"evidence_sha256", "aa"}, {"evidence_sha256", 1}}) {
    Json event = good;
    event[member] = value;
    EXPECT_EQ(sample_with(event).failing(), Ids{"boot.gpu_attestation"}) << member;
  }
}

// ---- expectation ----

TEST(BootMeasurements, NothingExpectedIsNoYes) {
  BootSample sample = make_sample();
  sample.policy.boot = {};
  EXPECT_EQ(sample.judge().outcome(), Outcome::kUndetermined);
  EXPECT_EQ(sample.ids(State::kSkipped), Ids{"tdx.measurements"});
  sample.policy.boot.allow_any_measurements = true;
  EXPECT_EQ(sample.judge().outcome(), Outcome::kAccepted);
  EXPECT_EQ(sample.judge().find("tdx.measurements")->state, State::kNotApplicable);
}

TEST(BootMeasurements, AnExpectedApplicationOnAnySystemIsNoYes) {
  using Set = std::set<Bytes> BootPolicy::*;
  for (const Set set :
       {&BootPolicy::mr_td, &BootPolicy::rtmr0, &BootPolicy::rtmr1, &BootPolicy::rtmr2, &BootPolicy::compose_hashes}) {
    BootSample sample = make_sample();
    (sample.policy.boot.*set).clear();
    EXPECT_EQ(sample.ids(State::kSkipped), Ids{"tdx.measurements"});
    EXPECT_EQ(sample.judge().outcome(), Outcome::kUndetermined);
    sample.policy.boot.allow_any_measurements = true;
    EXPECT_EQ(sample.judge().outcome(), Outcome::kAccepted);
  }
}

TEST(BootSimulated, TheLogIsJudgedAndWhatThePolicyNamesIsExpected) {
  BootSample sample = make_sample();
  sample.root = RootKind::kInsecureSimulator;
  EXPECT_EQ(sample.failing(), Ids{});
  sample.policy.boot.mr_td = {filled(48, 9)};
  EXPECT_EQ(sample.failing(), Ids{"tdx.measurements"});
  sample.policy.boot = {};
  EXPECT_EQ(sample.judge().find("tdx.measurements")->state, State::kNotApplicable);
  sample.policy.boot.compose_hashes = {filled(32, 9)};
  EXPECT_EQ(sample.failing(), Ids{"boot.compose_hash"});
  sample.policy.boot = {};
  EXPECT_EQ(sample.judge().find("boot.rtmr3")->state, State::kPass);
  sample.edit_log([](Json& log) { log.erase(4); });
  EXPECT_TRUE(sample.failing().contains("boot.rtmr3"));
}

}  // namespace
}  // namespace cloister::verify
