#include "verify/nvidia/topology.h"

#include <gtest/gtest.h>

#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

Bytes pdi(std::uint8_t number) { return {number, 1, 2, 3, 4, 5, 6, 7}; }
Bytes reversed(Bytes bytes) { return {bytes.rbegin(), bytes.rend()}; }

// Eight GPUs and four switches, connected as in one machine.
struct Machine {
  std::vector<SpdmReport> gpus, switches;
  std::vector<Bytes> gpu_names, switch_names;  // by their certificates

  explicit Machine(std::size_t gpu_count = 8, std::size_t switch_count = 4) {
    Bytes switches_seen, gpus_seen;
    for (std::uint8_t i = 0; i < switch_count; ++i) {
      for (int link = 0; link < 2; ++link) append(switches_seen, reversed(pdi(i)));
    }
    switches_seen.resize(18 * 8);  // unused links
    for (std::uint8_t i = 0; i < gpu_count; ++i) append(gpus_seen, pdi(static_cast<std::uint8_t>(0x80 + i)));
    gpus_seen.resize(8 * 8);
    for (std::uint8_t i = 0; i < gpu_count; ++i) gpus_seen.insert(gpus_seen.end(), 2, i);
    gpus_seen.resize(128, 0xff);  // unused links
    for (std::size_t i = 0; i < gpu_count; ++i) {
      SpdmReport report;
      set(report, OpaqueField::kFeatureFlag, {2, 0});
      set(report, OpaqueField::kDevicePdi, switches_seen);
      gpus.push_back(report);
      gpu_names.push_back(pdi(static_cast<std::uint8_t>(0x80 + i)));
    }
    for (std::uint8_t i = 0; i < switch_count; ++i) {
      SpdmReport report;
      set(report, OpaqueField::kDevicePdi, pdi(i));
      set(report, OpaqueField::kSwitchGpuPdis, gpus_seen);
      set(report, OpaqueField::kSwitchLockStatus, {1, 0});
      switches.push_back(report);
      switch_names.push_back(pdi(i));
    }
  }

  static void set(SpdmReport& report, OpaqueField field, Bytes value) {
    report.opaque[static_cast<std::uint16_t>(field)] = std::move(value);
  }
  static void drop(SpdmReport& report, OpaqueField field) { report.opaque.erase(static_cast<std::uint16_t>(field)); }

  Check judge() const {
    std::vector<TopologyMember> members;
    for (std::size_t i = 0; i < gpus.size(); ++i) members.push_back({&gpus[i], false, gpu_names.at(i)});
    for (std::size_t i = 0; i < switches.size(); ++i) members.push_back({&switches[i], true, switch_names.at(i)});
    return check_topology(members);
  }
};

void expect_failed(const Machine& machine, std::string_view part) {
  const Check check = machine.judge();
  EXPECT_EQ(check.state, State::kFail) << part;
  EXPECT_NE(check.detail.find(part), std::string::npos) << check.detail << " (expected: " << part << ")";
}

TEST(Topology, AWholeMachine) {
  EXPECT_EQ(Machine().judge().state, State::kPass) << Machine().judge().detail;
  EXPECT_EQ(Machine().judge().actual, "8 GPUs, 4 switches");
  EXPECT_EQ(Machine(4, 2).judge().state, State::kPass);
  // Uses the older field.
  Machine old;
  for (SpdmReport& gpu : old.gpus) {
    Machine::drop(gpu, OpaqueField::kFeatureFlag);
    Machine::set(gpu, OpaqueField::kProtectedPcieStatus, {0xaa});
  }
  EXPECT_EQ(old.judge().state, State::kPass);
}

TEST(Topology, WithoutProtectedModeItDoesNotApply) {
  Machine machine(2, 0);
  for (SpdmReport& gpu : machine.gpus) Machine::set(gpu, OpaqueField::kFeatureFlag, {0, 0});
  EXPECT_EQ(machine.judge().state, State::kNotApplicable);
}

TEST(Topology, EvidenceOfOneSideOnlyIsSkippedAndRequired) {
  Machine machine;
  machine.switches.clear();
  EXPECT_EQ(machine.judge().state, State::kSkipped);
  EXPECT_TRUE(machine.judge().required);
  machine = Machine();
  machine.gpus.clear();
  EXPECT_EQ(machine.judge().state, State::kSkipped);
  EXPECT_EQ(check_topology({{nullptr, false}}).state, State::kSkipped);
}

TEST(Topology, AMissingAndAnExtraSwitch) {
  Machine machine;
  machine.switches.pop_back();
  expect_failed(machine, "other switches");
  machine = Machine();
  machine.switches.push_back(machine.switches[0]);
  Machine::set(machine.switches.back(), OpaqueField::kDevicePdi, pdi(9));
  machine.switch_names.push_back(pdi(9));
  expect_failed(machine, "other switches");
  machine.switches.back() = machine.switches[0];
  expect_failed(machine, "another name in its certificate");
  machine.switch_names.back() = machine.switch_names[0];
  expect_failed(machine, "listed twice");
}

TEST(Topology, AGpuAtOtherSwitches) {
  Machine machine;
  Bytes seen = machine.gpus[3].opaque[static_cast<std::uint16_t>(OpaqueField::kDevicePdi)];
  seen[0] ^= 1;
  Machine::set(machine.gpus[3], OpaqueField::kDevicePdi, seen);
  expect_failed(machine, "GPU 3 of the list is connected to other switches");
  seen.pop_back();
  Machine::set(machine.gpus[3], OpaqueField::kDevicePdi, seen);
  expect_failed(machine, "does not tell");
  Machine::drop(machine.gpus[3], OpaqueField::kDevicePdi);
  expect_failed(machine, "does not tell");
  machine = Machine();
  Machine::set(machine.gpus[7], OpaqueField::kFeatureFlag, {1, 0});
  expect_failed(machine, "GPU 7 of the list is not in protected PCIe mode");
}

TEST(Topology, ASwitchAtOtherGpus) {
  Machine machine;
  machine.gpus.pop_back();
  expect_failed(machine, "other GPUs than those that were attested");
  machine = Machine();
  Bytes seen = machine.switches[2].opaque[static_cast<std::uint16_t>(OpaqueField::kSwitchGpuPdis)];
  seen[0] ^= 0x40;
  Machine::set(machine.switches[2], OpaqueField::kSwitchGpuPdis, seen);
  expect_failed(machine, "switch 2 of the list is connected to other GPUs");
  // A genuine GPU of another machine replaces one of this machine: every list agrees, except for its name.
  machine = Machine();
  machine.gpu_names[5] = pdi(0xf5);
  expect_failed(machine, "other GPUs than those that were attested");
  machine.gpu_names[5] = machine.gpu_names[4];
  expect_failed(machine, "GPU 5 of the list is listed twice");
  machine.gpu_names[5].clear();
  expect_failed(machine, "has no name in its certificate");
  machine = Machine();
  Machine::drop(machine.switches[2], OpaqueField::kSwitchGpuPdis);
  expect_failed(machine, "does not tell its GPUs");
  machine = Machine();
  Machine::set(machine.switches[1], OpaqueField::kDevicePdi, {1});
  expect_failed(machine, "does not name itself");
}

TEST(Topology, TheLinkMapLeadsToListedGpusOnly) {
  const auto with = [](std::size_t at, std::uint8_t value) {
    Machine machine(4, 2);
    Bytes field = machine.switches[1].opaque[static_cast<std::uint16_t>(OpaqueField::kSwitchGpuPdis)];
    field[at] = value;
    Machine::set(machine.switches[1], OpaqueField::kSwitchGpuPdis, field);
    return machine;
  };
  // Bytes of the map are no names of GPUs: any link may lead to any listed GPU.
  EXPECT_EQ(with(127, 3).judge().state, State::kPass);
  EXPECT_EQ(with(64, 0xff).judge().state, State::kPass);
  expect_failed(with(64, 4), "does not tell its GPUs");  // an empty place
  expect_failed(with(64, 8), "does not tell its GPUs");
  expect_failed(with(127, 0xfe), "does not tell its GPUs");
  for (const std::size_t size : {0u, 64u, 120u, 136u}) {
    Machine machine;
    Bytes field = machine.switches[0].opaque[static_cast<std::uint16_t>(OpaqueField::kSwitchGpuPdis)];
    field.resize(size, 0xff);
    Machine::set(machine.switches[0], OpaqueField::kSwitchGpuPdis, field);
    expect_failed(machine, "does not tell its GPUs");
  }
}

TEST(Topology, AnUnlockedSwitch) {
  for (const Bytes& status : {Bytes{0, 0}, Bytes{2, 0}, Bytes{1, 1}, Bytes{}}) {
    Machine machine;
    Machine::set(machine.switches[0], OpaqueField::kSwitchLockStatus, status);
    expect_failed(machine, "not locked");
  }
  Machine machine;
  Machine::drop(machine.switches[0], OpaqueField::kSwitchLockStatus);
  expect_failed(machine, "not locked");
}

// Signed evidence of two GPUs and a switch in one list.
TEST(Topology, GpusAndASwitchInOneList) {
  GpuWorld world(2);
  Machine machine(2, 1);
  world.chains.push_back(device_chain("LS_10", "switch 0"));
  Bytes gpus_seen;
  for (std::size_t i = 0; i < 2; ++i) append(gpus_seen, device_pdi(world.chains[i].certificates));
  gpus_seen.resize(64);
  gpus_seen.resize(128, 0xff);
  Machine::set(machine.switches[0], OpaqueField::kSwitchGpuPdis, gpus_seen);
  Machine::set(machine.switches[0], OpaqueField::kDevicePdi, device_pdi(world.chains[2].certificates));
  for (SpdmReport& gpu : machine.gpus) {
    Machine::set(gpu, OpaqueField::kDevicePdi, reversed(device_pdi(world.chains[2].certificates)));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    world.edit_report(i, [&](SpdmReport& report) {
      for (const auto& [field, value] : machine.gpus[i].opaque) report.opaque[field] = value;
    });
  }
  SpdmReport report = machine.switches[0];
  report.request_nonce = world.nonce;
  for (std::uint32_t i = 1; i <= 31; ++i) {
    report.measurements.push_back({static_cast<std::uint8_t>(i), world_measurement(i)});
  }
  Machine::set(report, OpaqueField::kVbiosVersion, to_bytes(as_bytes("96.10.55.00.01")));
  world.payload.evidence_list.push_back(signed_device(report, world.chains[2], "LS10"));
  WorldRim rim;
  rim.product = "LS10";
  rim.version = "96.10.55.00.01";
  for (std::uint32_t i = 0; i < 31; ++i) rim.active[i] = {world_measurement(i + 1)};
  world.edit_rim("NV_SWITCH_BIOS_5612_0002_890_9610550001", rim);
  world.edit_ocsp([](const std::string&, crypto::OcspResponseSpec&) {});
  world.policy.nvidia.gpu_count = 2;
  Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.topology")->state, State::kPass);
  EXPECT_EQ(verdict.find("nvidia.gpu.2.rim.driver.available")->state, State::kNotApplicable);
  EXPECT_EQ(verdict.find("nvidia.gpu.2.fwid")->state, State::kNotApplicable);
  EXPECT_EQ(verdict.find("nvidia.gpu.2.rim.vbios.measurements")->actual, "31 measurements");
  world.payload.evidence_list.erase(world.payload.evidence_list.begin());
  verdict = world.judge();
  EXPECT_EQ(failing(verdict), (Ids{"nvidia.gpu_count", "nvidia.topology"})) << to_text(verdict, false);
}

}  // namespace
}  // namespace cloister::verify::testing
