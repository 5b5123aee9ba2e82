// These tests run the serving gate over a driver that behaves as real drivers do.
#include "reports/gpu_gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/spdm.h"
#include "gpu/nvml/nvml_source.h"
#include "reports/evidence_metrics.h"
#include "tests/gpu/fake_driver_folder.h"
#include "verify/gpu.h"

namespace cloister::reports {
namespace {

using testing::FakeDriverFolder;

class GpuGateTest : public ::testing::Test {
 protected:
  GpuGateTest() {
    gpu::NvmlOptions options;
    options.library = FakeDriverFolder::library("fake_nvml");
    options.deadline = std::chrono::milliseconds(2000);
    options.queue_limit = 1;
    gpus_ = std::move(*gpu::make_nvml_source(options));
  }
  static GpuGateOptions options() {
    GpuGateOptions out;
    out.policy.accept_simulator = true;  // the devices are simulated, the driver's interface is not
    return out;
  }
  // Makes one check under these settings. Returns why the gate is closed then, or "" when it is open.
  std::string check(GpuGate& gate, const std::string& settings) {
    driver_.set(settings);
    gate.check();
    const GpuGateState state = gate.state();
    EXPECT_EQ(state.open, !gate.refusal().has_value());
    EXPECT_EQ(state.open, state.reason.empty());
    return state.reason;
  }

  FakeDriverFolder driver_;
  FakeClock clock_{1'780'272'000};  // 2026-06-01
  std::unique_ptr<gpu::GpuEvidenceSource> gpus_;
};

TEST_F(GpuGateTest, IsClosedUntilItHasChecked) {
  GpuGate gate(*gpus_, options(), clock_);
  EXPECT_FALSE(gate.state().open);
  ASSERT_TRUE(gate.refusal());
  EXPECT_EQ(gate.refusal()->code, ErrorCode::kGpuNotAttested);
  EXPECT_GE(gate.refusal()->retry_after_s, 1);
  driver_.set("devices=2\n");
  gate.check();
  const GpuGateState state = gate.state();
  EXPECT_TRUE(state.open) << state.reason;
  EXPECT_EQ(state.gpus, 2u);
  EXPECT_EQ(state.checked, clock_.now());
  EXPECT_FALSE(state.measurements_compared);
  EXPECT_FALSE(gate.refusal());
  EXPECT_EQ(to_json(state)["measurements"], "unchecked");
  EXPECT_TRUE(to_json(state)["reason"].is_null());
}

TEST_F(GpuGateTest, EveryFaultClosesItAndItsEndOpensItAgain) {
  const std::pair<const char*, const char*> faults[] = {
      {"feature=0\n", "confidential-computing mode"},
      {"developer_tools=1\n", "developer-tools"},
      {"environment=1\n", "production"},
      {"ready=0\n", "not set ready"},
      {"nvmlDeviceGetConfComputeGpuAttestationReport=15\n", "the GPU is lost"},
      {"nvmlDeviceGetConfComputeGpuAttestationReport=999\n", "unknown error"},
      {"nvmlDeviceGetCount_v2=16\n", "reset"},
      {"devices=0\n", "no GPU"},
      {"other_nonce=1\n", "nvidia.gpu.0.nonce"},
      {"arch=10\n", "nvidia.gpu.0.arch"},
      {"arch=8\n", "nvidia.gpu.0.arch"},
      {"report_size=9000\n", "9000"},
      {"report_size=100\n", "nvidia.gpu.0.form"},
      {"multi_gpu=1\n", "cannot open"},  // no switch library is given
  };
  GpuGate gate(*gpus_, options(), clock_);
  for (const auto& [settings, words] : faults) {
    EXPECT_EQ(check(gate, ""), "") << "before " << settings;
    EXPECT_NE(check(gate, settings).find(words), std::string::npos) << settings << gate.state().reason;
  }
  EXPECT_EQ(check(gate, ""), "");
}

TEST_F(GpuGateTest, AResetClosesItForOneCheck) {
  GpuGate gate(*gpus_, options(), clock_);
  EXPECT_EQ(check(gate, ""), "");
  EXPECT_NE(check(gate, "generation=2\n").find("the GPU is lost"), std::string::npos);
  EXPECT_EQ(check(gate, "generation=2\n"), "");
}

TEST_F(GpuGateTest, SimulatedDevicesDoNotOpenARealNodesGate) {
  GpuGate gate(*gpus_, {}, clock_);
  EXPECT_NE(check(gate, "").find("nvidia.simulator"), std::string::npos);
}

TEST_F(GpuGateTest, ADriverThatHangsClosesIt) {
  GpuGate gate(*gpus_, options(), clock_);
  EXPECT_EQ(check(gate, ""), "");
  EXPECT_NE(check(gate, "hold=1\n").find("did not answer"), std::string::npos);
  driver_.set("");
  while (!gate.state().open) gate.check();
}

TEST_F(GpuGateTest, AGoodCheckThatIsTooOldClosesIt) {
  GpuGate gate(*gpus_, options(), clock_);
  EXPECT_EQ(check(gate, ""), "");
  clock_.advance(660);
  EXPECT_TRUE(gate.state().open);
  clock_.advance(1);
  EXPECT_NE(gate.state().reason.find("661 s old"), std::string::npos);
  EXPECT_TRUE(gate.refusal());
  EXPECT_EQ(check(gate, ""), "");
  clock_.advance(-1);
  EXPECT_NE(gate.state().reason.find("went back"), std::string::npos);
}

// Callers who fill the GPUs' queue must not be able to close the gate.
class BusyGpus : public gpu::GpuEvidenceSource {
 public:
  explicit BusyGpus(gpu::GpuEvidenceSource& inner) : inner_(inner) {}
  std::string_view type() const override { return inner_.type(); }
  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) override {
    if (busy) return fail(ErrorCode::kBusy, "too many callers wait");
    return inner_.collect(nonce);
  }
  Result<gpu::GpuStatus> status() override { return inner_.status(); }
  std::atomic<bool> busy = false;

 private:
  gpu::GpuEvidenceSource& inner_;
};

TEST_F(GpuGateTest, ACrowdedQueueIsNoFinding) {
  BusyGpus crowded(*gpus_);
  GpuGate gate(crowded, options(), clock_);
  EXPECT_EQ(check(gate, ""), "");
  crowded.busy = true;
  EXPECT_EQ(check(gate, ""), "");
  clock_.advance(661);
  EXPECT_NE(check(gate, "").find("661 s old"), std::string::npos) << "but not for ever";
}

TEST(GpuGateObjection, GenuineEvidenceDoesUnlessManifestsAreThereAndDoNotCoverIt) {
  const testing::Recording recording = testing::read_recording("evidence_hopper_1gpu.json");
  const std::string payload = evidence::write_nvidia_payload({to_hex(recording.nonce), "HOPPER", recording.devices});
  const verify::Policy policy = gpu_gate_policy({});
  const verify::Collateral nothing;
  const verify::Verdict verdict = verify::verify_gpu(payload, recording.nonce, {policy, nothing, 1'780'272'000});
  // This device is in protected-PCIe mode and its switches are missing, which is a separate objection.
  EXPECT_NE(gpu_gate_objection(verdict, false).find("nvidia.topology could not be checked"), std::string::npos)
      << gpu_gate_objection(verdict, false);
  EXPECT_NE(gpu_gate_objection(verdict, true).find(".rim."), std::string::npos) << gpu_gate_objection(verdict, true);

  const auto old = evidence::parse_gpu_files(testing::vector_bytes("nvidia/hopper_550.90.07.report.hex"),
                                             testing::vector_bytes("nvidia/hopper_550.90.07.certs.pem"));
  ASSERT_TRUE(old);
  const auto nonce = codec::parse_spdm_report(old->report)->request_nonce;
  verify::Verdict alone = verify::verify_gpu(as_bytes(testing::vector_text("nvidia/hopper_550.90.07.report.hex")),
                                             as_bytes(testing::vector_text("nvidia/hopper_550.90.07.certs.pem")), nonce,
                                             {policy, nothing, 1'780'272'000});
  // The device answers a constant nonce that vendor tools use. That is the only objection.
  EXPECT_NE(gpu_gate_objection(alone, false).find("nvidia.known_nonce"), std::string::npos)
      << gpu_gate_objection(alone, false);
  std::erase_if(alone.checks, [](const verify::Check& check) { return check.id == "nvidia.known_nonce"; });
  EXPECT_EQ(gpu_gate_objection(alone, false), "");
  EXPECT_NE(gpu_gate_objection(alone, true).find(".rim."), std::string::npos);
  EXPECT_NE(gpu_gate_objection({}, false), "") << "no check at all is no pass";
}

TEST_F(GpuGateTest, ManifestsThatCannotBeReadCloseIt) {
  GpuGateOptions with = options();
  with.collateral = [] {
    return Result<verify::Collateral>(fail(ErrorCode::kIo, "cannot read the folder of manifests"));
  };
  GpuGate gate(*gpus_, with, clock_);
  EXPECT_NE(check(gate, "").find("folder of manifests"), std::string::npos);
}

TEST_F(GpuGateTest, APolicyOfTheOperatorsIsHeld) {
  GpuGateOptions strict = options();
  strict.policy.nvidia.gpu_count = 2;
  GpuGate gate(*gpus_, strict, clock_);
  EXPECT_NE(check(gate, "").find("nvidia.gpu_count"), std::string::npos);
  EXPECT_EQ(check(gate, "devices=2\n"), "");
}

TEST_F(GpuGateTest, ChecksByItselfOnceStarted) {
  GpuGate gate(*gpus_, options(), clock_);
  gate.start();
  while (!gate.state().open) std::this_thread::yield();
}

TEST_F(GpuGateTest, MetricsTellItsState) {
  metrics::Registry registry;
  EvidenceMetrics metrics(registry);
  GpuGate gate(*gpus_, options(), clock_);
  metrics.set_gpu_gate(gate.state(), clock_.now());
  EXPECT_NE(registry.render().find("cloister_gpu_gate_open 0"), std::string::npos);
  EXPECT_NE(registry.render().find("cloister_gpu_evidence_age_seconds -1"), std::string::npos);
  EXPECT_EQ(check(gate, ""), "");
  clock_.advance(30);
  metrics.set_gpu_gate(gate.state(), clock_.now());
  EXPECT_NE(registry.render().find("cloister_gpu_gate_open 1"), std::string::npos);
  EXPECT_NE(registry.render().find("cloister_gpu_evidence_age_seconds 30"), std::string::npos);
  EXPECT_NE(registry.render().find("cloister_gpu_checks{result=\"passed\"} 1"), std::string::npos);
}

}  // namespace
}  // namespace cloister::reports
