// Recorded evidence of real devices must come through the driver's interface byte for byte and get the same verdict.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "gpu/nvml/nvml_source.h"
#include "tests/gpu/fake_driver_folder.h"
#include "verify/gpu.h"

namespace cloister::gpu {
namespace {

using testing::FakeDriverFolder;
using testing::Recording;

constexpr UnixSeconds kJune2026 = 1780272000;

class NvmlEvidenceTest : public ::testing::Test {
 protected:
  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) {
    NvmlOptions options;
    options.library = FakeDriverFolder::library("fake_nvml");
    options.switch_library = FakeDriverFolder::library("fake_nscq");
    auto source = make_nvml_source(options);
    if (!source) return source.error();
    return (*source)->collect(nonce);
  }

  static std::string payload(const Recording& recording, const std::vector<evidence::GpuEvidence>& devices) {
    return evidence::write_nvidia_payload({to_hex(recording.nonce), devices.front().arch, devices});
  }

  // Fails unless every check passes that needs no manifest and no OCSP answer.
  static void expect_genuine(const std::string& payload, const ByteArray<32>& nonce) {
    const verify::Policy policy;
    const verify::Collateral nothing;
    const verify::Verdict verdict = verify::verify_gpu(payload, nonce, {policy, nothing, kJune2026});
    for (const verify::Check& check : verdict.checks) {
      EXPECT_NE(check.state, verify::State::kFail) << check.id << ": " << check.detail;
      const bool by_collateral =
          check.id.find(".rim.") != std::string::npos || check.id.find(".revocation.") != std::string::npos;
      if (!by_collateral && check.state == verify::State::kSkipped) {
        EXPECT_TRUE(check.id == "nvidia.topology" || !check.required) << check.id << ": " << check.detail;
      }
    }
    EXPECT_EQ(verdict.outcome(), verify::Outcome::kUndetermined) << "manifests and revocation are missing";
  }

  FakeDriverFolder driver_;
};

TEST_F(NvmlEvidenceTest, OneGpuComesOutAsItWasRecorded) {
  const Recording recording = testing::read_recording("evidence_hopper_1gpu.json");
  driver_.record("gpu", recording.devices);
  const auto devices = collect(recording.nonce);
  ASSERT_TRUE(devices) << devices.error().message;
  ASSERT_EQ(devices->size(), 1u);
  // Compares the request for NVIDIA's service with the recorded entry.
  const Json entry = codec::parse_json(testing::vector_text("nvidia/evidence_hopper_1gpu.json"))->front();
  const Json written = *codec::parse_json(payload(recording, *devices));
  EXPECT_EQ(written["nonce"], entry["nonce"]);
  EXPECT_EQ(written["arch"], entry["arch"]);
  ASSERT_EQ(written["evidence_list"].size(), 1u);
  EXPECT_EQ(written["evidence_list"][0]["evidence"], entry["evidence"]);
  EXPECT_EQ(written["evidence_list"][0]["certificate"], entry["certificate"]);
  EXPECT_EQ(written["evidence_list"][0]["arch"], entry["arch"]);
  EXPECT_EQ(written.size(), 3u);
  expect_genuine(payload(recording, *devices), recording.nonce);
}

TEST_F(NvmlEvidenceTest, FourGpusInTheirOrder) {
  const Recording recording = testing::read_recording("evidence_hopper_4gpu.json");
  ASSERT_EQ(recording.devices.size(), 4u);
  driver_.set("devices=4\n");
  driver_.record("gpu", recording.devices);
  const auto devices = collect(recording.nonce);
  ASSERT_TRUE(devices) << devices.error().message;
  ASSERT_EQ(devices->size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ((*devices)[i].report, recording.devices[i].report);
    EXPECT_EQ((*devices)[i].certificate_chain_pem, recording.devices[i].certificate_chain_pem);
  }
  expect_genuine(payload(recording, *devices), recording.nonce);
}

TEST_F(NvmlEvidenceTest, BlackwellIsNamedByTheDevice) {
  const auto read = evidence::parse_gpu_files(testing::vector_bytes("nvidia/blackwell_575.32.report.hex"),
                                              testing::vector_bytes("nvidia/blackwell_575.32.certs.b64"));
  ASSERT_TRUE(read) << read.error().message;
  driver_.set("arch=10\n");
  driver_.record("gpu", {*read});
  const auto devices = collect({});
  ASSERT_TRUE(devices) << devices.error().message;
  EXPECT_EQ(devices->front().arch, "BLACKWELL");
  EXPECT_EQ(devices->front().report, read->report);
  EXPECT_EQ(devices->front().certificate_chain_pem, read->certificate_chain_pem);
}

TEST_F(NvmlEvidenceTest, SwitchesComeAlongInProtectedPcieMode) {
  const Recording gpu = testing::read_recording("evidence_hopper_1gpu.json");
  const Recording switches = testing::read_recording("evidence_ls10_1switch.json");
  driver_.record("gpu", gpu.devices);
  driver_.record("switch", switches.devices);
  driver_.set("feature=0\nmulti_gpu=1\n");
  const auto devices = collect(switches.nonce);
  ASSERT_TRUE(devices) << devices.error().message;
  ASSERT_EQ(devices->size(), 2u);
  EXPECT_EQ((*devices)[1].arch, "LS10");
  EXPECT_EQ((*devices)[1].report, switches.devices.front().report);
  EXPECT_EQ((*devices)[1].certificate_chain_pem, switches.devices.front().certificate_chain_pem);
  const std::string written = payload(switches, *devices);
  EXPECT_TRUE(written.starts_with('[')) << "devices of two kinds take the form in which each names its own";
  EXPECT_TRUE(evidence::parse_nvidia_payload(written));
}

TEST_F(NvmlEvidenceTest, SwitchesThatFailFailTheWhole) {
  driver_.record("switch", testing::read_recording("evidence_ls10_1switch.json").devices);
  for (const char* fault : {"nscq_session_create=-7\n", "uuid=-8\n", "arch=-1\nswitch_arch=2\n", "switch_arch=1\n",
                            "certificate=-7\n", "attestation_report=-7\n", "switch_report_size=1\n"}) {
    driver_.set("feature=0\nmulti_gpu=1\n" + std::string(fault));
    const auto devices = collect({});
    EXPECT_FALSE(devices) << fault;
  }
}

}  // namespace
}  // namespace cloister::gpu
