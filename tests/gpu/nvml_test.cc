// These tests cover how the evidence source reacts to the behaviour of real drivers.
#include "gpu/nvml/nvml_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "codec/spdm.h"
#include "tests/gpu/fake_driver_folder.h"

namespace cloister::gpu {
namespace {

using testing::FakeDriverFolder;

ByteArray<32> nonce(std::uint8_t mark = 7) {
  ByteArray<32> out;
  out.fill(mark);
  return out;
}

class NvmlTest : public ::testing::Test {
 protected:
  static NvmlOptions options(const std::string& name = "fake_nvml") {
    NvmlOptions out;
    out.library = FakeDriverFolder::library(name);
    out.switch_library = FakeDriverFolder::library("fake_nscq");
    return out;
  }
  std::unique_ptr<GpuEvidenceSource> make(const NvmlOptions& with = options()) {
    auto source = make_nvml_source(with);
    EXPECT_TRUE(source) << source.error().message;
    return source ? std::move(*source) : nullptr;
  }
  // Returns the error of the next collection, which must fail.
  static Error error_of(GpuEvidenceSource& source) {
    const auto evidence = source.collect(nonce());
    EXPECT_FALSE(evidence);
    return evidence ? Error{} : evidence.error();
  }

  FakeDriverFolder driver_;
};

TEST_F(NvmlTest, TellsWhatTheDriverTells) {
  driver_.set("devices=2\ndriver=575.32\narch=10\n");
  const auto source = make();
  ASSERT_TRUE(source);
  EXPECT_EQ(source->type(), "nvml");
  const auto status = source->status();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->driver_version, "575.32");
  ASSERT_EQ(status->devices.size(), 2u);
  EXPECT_EQ(status->devices[1].uuid, "GPU-gpu1");
  EXPECT_EQ(status->devices[0].arch, "BLACKWELL");
  EXPECT_EQ(status->devices[0].vbios_version, "96.00.A5.00.01");
  EXPECT_EQ(objection_to(*status), "");
}

TEST_F(NvmlTest, EachReportAnswersItsNonce) {
  driver_.set("devices=3\n");
  const auto source = make();
  const auto evidence = source->collect(nonce(9));
  ASSERT_TRUE(evidence) << evidence.error().message;
  ASSERT_EQ(evidence->size(), 3u);
  for (const evidence::GpuEvidence& device : *evidence) {
    EXPECT_EQ(device.arch, "HOPPER");
    EXPECT_TRUE(device.certificate_chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    const auto report = codec::parse_spdm_report(device.report);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->request_nonce, nonce(9));
  }
}

TEST_F(NvmlTest, EveryModeThatProtectsNothingIsAnObjection) {
  const std::pair<const char*, const char*> cases[] = {
      {"feature=0\n", "not in confidential-computing mode"},
      {"developer_tools=1\n", "developer-tools mode"},
      {"environment=1\n", "production"},
      {"ready=0\n", "not set ready"},
      {"nvmlSystemGetConfComputeSettings=3\n", "not in confidential-computing mode"},
      {"nvmlSystemGetConfComputeGpusReadyState=3\n", "does not say whether the GPUs take work"},
  };
  const auto source = make();
  for (const auto& [settings, words] : cases) {
    driver_.set(settings);
    const auto status = source->status();
    ASSERT_TRUE(status) << settings << status.error().message;
    EXPECT_NE(objection_to(*status).find(words), std::string::npos) << settings << objection_to(*status);
  }
}

TEST_F(NvmlTest, ProtectedPcieIsAConfidentialModeOfItsOwn) {
  driver_.set("feature=0\nmulti_gpu=1\n");
  const auto status = make()->status();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->protected_pcie);
  EXPECT_EQ(objection_to(*status), "");
}

TEST_F(NvmlTest, SettingsOfAnotherLayoutFallBackToState) {
  driver_.set("nvmlSystemGetConfComputeSettings=25\n");
  const auto status = make()->status();
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(status->confidential, true);
  EXPECT_FALSE(status->protected_pcie);
}

TEST_F(NvmlTest, ALibraryThatIsNotThereIsNoGpu) {
  NvmlOptions absent;
  absent.library = "/nowhere/libnvidia-ml.so.1";
  const auto source = make_nvml_source(absent);
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kNoGpu);
  EXPECT_NE(source.error().message.find("/nowhere/libnvidia-ml.so.1"), std::string::npos);
}

TEST_F(NvmlTest, ALibraryOfSomethingElseIsNoGpu) {
  const auto source = make_nvml_source(options("fake_nscq"));
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, ErrorCode::kNoGpu);
  EXPECT_NE(source.error().message.find("nvmlInit_v2"), std::string::npos) << source.error().message;
}

TEST_F(NvmlTest, ADriverFromBeforeConfidentialComputingSaysSo) {
  const auto source = make(options("fake_nvml_old"));
  const auto status = source->status();
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->confidential.has_value());
  EXPECT_NE(objection_to(*status).find("knows no confidential computing"), std::string::npos);
  EXPECT_EQ(error_of(*source).code, ErrorCode::kNoGpu);
}

TEST_F(NvmlTest, NoDriverNoGpu) {
  for (const char* settings : {"nvmlInit_v2=9\n", "nvmlInit_v2=18\n", "devices=0\n"}) {
    driver_.set(settings);
    const auto source = make_nvml_source(options());
    ASSERT_FALSE(source) << settings;
    EXPECT_EQ(source.error().code, ErrorCode::kNoGpu) << settings;
  }
}

TEST_F(NvmlTest, MoreDevicesThanAMachineHasAreAnError) {
  driver_.set("devices=65\n");
  const auto source = make_nvml_source(options());
  ASSERT_FALSE(source);
  EXPECT_NE(source.error().message.find("65"), std::string::npos);
}

TEST_F(NvmlTest, AnUnknownArchitectureKeepsItsNumber) {
  driver_.set("arch=12\n");
  EXPECT_EQ(make()->collect(nonce())->front().arch, "ARCH_12");
}

TEST_F(NvmlTest, ErrorsOfTheDriverAreNamedAndPass) {
  const auto source = make();
  for (const char* call : {"nvmlDeviceGetConfComputeGpuAttestationReport", "nvmlDeviceGetConfComputeGpuCertificate",
                           "nvmlDeviceGetArchitecture", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetCount_v2"}) {
    driver_.set(std::string(call) + "=15\n");
    const Error error = error_of(*source);
    EXPECT_EQ(error.code, ErrorCode::kGpuFailed);
    EXPECT_NE(error.message.find("the GPU is lost"), std::string::npos) << error.message;
    EXPECT_NE(error.message.find(call), std::string::npos) << error.message;
    driver_.set("");
    EXPECT_TRUE(source->collect(nonce())) << call;
  }
}

TEST_F(NvmlTest, AResetIsOvercomeByInitialisingAgain) {
  const auto source = make();
  ASSERT_TRUE(source->collect(nonce()));
  driver_.set("generation=2\n");
  EXPECT_NE(error_of(*source).message.find("the GPU is lost"), std::string::npos);
  EXPECT_TRUE(source->collect(nonce())) << "the library was initialised again";
}

TEST_F(NvmlTest, SizesThatDoNotFitAreRefused) {
  const auto source = make();
  for (const char* settings : {"report_size=8193\n", "report_size=-1\n"}) {
    driver_.set(settings);
    EXPECT_NE(error_of(*source).message.find("expected 1 to 8192"), std::string::npos) << settings;
  }
  driver_.set("");
  driver_.record("gpu", {{"HOPPER", Bytes(10, 1), std::string(6000, 'x')}});
  EXPECT_NE(error_of(*source).message.find("6000 bytes, expected 1 to 5120"), std::string::npos);
}

TEST_F(NvmlTest, ADriverThatHangsHoldsUpNobody) {
  NvmlOptions impatient = options();
  impatient.deadline = std::chrono::milliseconds(100);
  impatient.queue_limit = 1;
  const auto source = make(impatient);
  driver_.set("hold=1\n");
  EXPECT_NE(error_of(*source).message.find("did not answer within 100 ms"), std::string::npos);
  // The first call still hangs in the driver. Only one call may wait behind it.
  std::atomic<int> busy = 0, late = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      const Error error = error_of(*source);
      ++(error.code == ErrorCode::kBusy ? busy : late);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(busy + late, 4);
  EXPECT_GE(late, 1);
  driver_.set("");
  while (!source->status()) std::this_thread::yield();
  EXPECT_TRUE(source->collect(nonce()));
}

TEST_F(NvmlTest, EndsWhileADriverHangs) {
  NvmlOptions impatient = options();
  impatient.deadline = std::chrono::milliseconds(50);
  auto source = make(impatient);
  driver_.set("hold=1\n");
  EXPECT_FALSE(source->collect(nonce()));
  source.reset();  // waits for the driver only for a moment
  driver_.set("");
}

TEST_F(NvmlTest, CallersFromManyThreadsEachGetTheirNonce) {
  const auto source = make();
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (std::uint8_t t = 1; t <= 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3; ++i) {
        const auto evidence = source->collect(nonce(t));
        ASSERT_TRUE(evidence) << evidence.error().message;
        const auto report = codec::parse_spdm_report(evidence->front().report);
        right += report && report->request_nonce == nonce(t);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 12);
}

}  // namespace
}  // namespace cloister::gpu
