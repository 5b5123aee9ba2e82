// These tests cover how `cloister serve` reads its GPU options, also for TEEs that this machine does not have.
#include "apps/gpu_parts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "base/file.h"
#include "crypto/hash.h"
#include "gpu/nvml/pinned_library.h"
#include "gpu/nvml/shared_library.h"
#include "tests/gpu/fake_driver_folder.h"

namespace cloister::apps {
namespace {

using testing::FakeDriverFolder;

class GpuPartsTest : public ::testing::Test {
 protected:
  GpuPartsTest() { options_.nvml_library = FakeDriverFolder::library("fake_nvml"); }

  std::string type_of(std::string_view tee_type, const SecretBytes* seed = nullptr) {
    const auto gpus = make_gpu(options_, tee_type, seed);
    if (!gpus) return "error: " + gpus.error().message;
    return *gpus ? std::string((*gpus)->type()) : "none";
  }
  // Returns "on", "off" or the error.
  std::string gate_of(std::string_view tee_type) {
    const auto gpus = make_gpu(options_, tee_type, tee_type == "insecure_simulator" ? &seed_ : nullptr);
    EXPECT_TRUE(gpus);
    const auto gate = make_gpu_gate(options_, tee_type, gpus->get());
    if (!gate) return "error: " + gate.error().message;
    return *gate ? "on" : "off";
  }

  FakeDriverFolder driver_;
  config::ServeOptions options_;
  const SecretBytes seed_{Bytes(32, 1)};
};

TEST_F(GpuPartsTest, AutoFollowsTheTee) {
  EXPECT_EQ(type_of("tdx"), "nvml");
  EXPECT_EQ(type_of("dstack"), "nvml");
  EXPECT_EQ(type_of("none"), "none");
  EXPECT_EQ(type_of("insecure_simulator", &seed_), "insecure_simulator");
  options_.nvml_library = "/nowhere/libnvidia-ml.so.1";
  EXPECT_EQ(type_of("tdx"), "none") << "a real TEE without a GPU serves on its CPU";
  options_.nvml_library = FakeDriverFolder::library("fake_nvml");
  driver_.set("nvmlDeviceGetUUID=15\n");
  EXPECT_NE(type_of("tdx").find("the GPU is lost"), std::string::npos) << "one that is there and broken is no CPU node";
}

TEST_F(GpuPartsTest, WhatIsAskedForByNameMustBeThere) {
  options_.gpu = "nvml";
  EXPECT_EQ(type_of("none"), "nvml");
  options_.nvml_library = "/nowhere/libnvidia-ml.so.1";
  EXPECT_NE(type_of("tdx").find("/nowhere/libnvidia-ml.so.1"), std::string::npos);
  options_.gpu = "insecure-simulator";
  EXPECT_NE(type_of("tdx").find("--tee insecure-simulator"), std::string::npos);
  options_.gpu = "none";
  EXPECT_EQ(type_of("tdx"), "none");
}

// Counts how often a library that the operator named is mapped into this process.
std::size_t loaded_libraries() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("cloister-gpu-library") != std::string::npos;
  return count;
}

TEST_F(GpuPartsTest, ALibraryIsNamedByItsBytesBeforeItRuns) {
  options_.gpu = "nvml";
  const std::string file = options_.nvml_library;
  const auto expected = crypto::sha256(as_bytes(*read_file(file, 256u << 20)));
  std::optional<ByteArray<32>> named;
  const std::size_t before = loaded_libraries();
  std::size_t at_call = before;
  const BeforeLibrary note = [&](const ByteArray<32>& sha256) -> Result<void> {
    named = sha256;
    at_call = loaded_libraries();
    return {};
  };
  const auto gpus = make_gpu(options_, "tdx", nullptr, note);
  ASSERT_TRUE(gpus) << gpus.error().message;
  EXPECT_EQ(named, expected);
  EXPECT_EQ(at_call, before) << "nothing of it was loaded yet";
  EXPECT_GT(loaded_libraries(), before) << "the copy runs, and not the file";
  const std::size_t with_one = loaded_libraries();
  const BeforeLibrary refuse = [](const ByteArray<32>&) -> Result<void> {
    return fail(ErrorCode::kTeeFailed, "not measured");
  };
  const auto refused = make_gpu(options_, "tdx", nullptr, refuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "not measured");
  EXPECT_EQ(loaded_libraries(), with_one);
  // Where no real TEE needs GPUs, the file is not even read.
  named.reset();
  options_.gpu = "auto";
  ASSERT_TRUE(make_gpu(options_, "none", nullptr, note));
  ASSERT_TRUE(make_gpu(options_, "insecure_simulator", &seed_, note));
  EXPECT_FALSE(named);
}

TEST_F(GpuPartsTest, WhatWasHashedIsWhatIsLoaded) {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("gpu-library-" + std::to_string(::getpid()));
  std::filesystem::copy_file(options_.nvml_library, file, std::filesystem::copy_options::overwrite_existing);
  const auto pinned = gpu::pin_library(file.string());
  ASSERT_TRUE(pinned) << pinned.error().message;
  ASSERT_TRUE(write_file_atomically(file, "another", 0600));
  EXPECT_TRUE(gpu::SharedLibrary::open(pinned->path)) << "the bytes of before";
  EXPECT_FALSE(std::ofstream(pinned->path, std::ios::in | std::ios::out).write("x", 1).flush())
      << "nobody can change the copy";
  const auto other = gpu::pin_library(file.string());
  ASSERT_TRUE(other);
  EXPECT_NE(other->sha256, pinned->sha256);
  EXPECT_EQ(gpu::SharedLibrary::open(other->path).error().code, ErrorCode::kNoGpu);
  std::filesystem::remove(file);
  EXPECT_EQ(gpu::pin_library(file.string()).error().code, ErrorCode::kNoGpu);
  EXPECT_EQ(gpu::pin_library("/dev/zero").error().code, ErrorCode::kIo);
}

TEST_F(GpuPartsTest, TheGateKnowsWhichPolicyIsInForce) {
  const std::string policy =
      (std::filesystem::temp_directory_path() / ("gpu-policy-in-force-" + std::to_string(::getpid()))).string();
  const std::string text = "[nvidia]\nrequire_fwid = false\n";
  const auto gpus = make_gpu(options_, "tdx", nullptr);
  ASSERT_TRUE(gpus);
  EXPECT_FALSE((*make_gpu_gate(options_, "tdx", gpus->get()))->policy_digest()) << "the default";
  ASSERT_TRUE(write_file_atomically(policy, text, 0600));
  options_.gpu_policy_file = policy;
  const auto gate = make_gpu_gate(options_, "tdx", gpus->get());
  ASSERT_TRUE(write_file_atomically(policy, "[nvidia]\n", 0600));
  EXPECT_EQ((*gate)->policy_digest(), crypto::sha256(as_bytes(text))) << "whatever becomes of the file";
  std::filesystem::remove(policy);
}

TEST_F(GpuPartsTest, TheGateIsOnWhereATeeIsRealAndHasAGpu) {
  EXPECT_EQ(gate_of("tdx"), "on");
  EXPECT_EQ(gate_of("insecure_simulator"), "off");
  EXPECT_EQ(gate_of("none"), "off");
  options_.require_gpu_tee = "on";
  EXPECT_EQ(gate_of("insecure_simulator"), "on");
  EXPECT_NE(gate_of("none").find("--gpu"), std::string::npos);
  options_.require_gpu_tee = "off";
  EXPECT_EQ(gate_of("tdx"), "off");
  options_.require_gpu_tee = "auto";
  options_.allow_non_cc_gpu = true;
  EXPECT_EQ(gate_of("tdx"), "off");
  options_.allow_non_cc_gpu = false;
  options_.gpu = "none";
  EXPECT_EQ(gate_of("tdx"), "off") << "there is none to be required";
}

TEST_F(GpuPartsTest, NoPolicyLetsSimulatedGpusIntoARealTee) {
  const std::string policy =
      (std::filesystem::temp_directory_path() / ("gpu-policy-" + std::to_string(::getpid()))).string();
  ASSERT_TRUE(write_file_atomically(policy, "accept_simulator = true\n", 0600));
  options_.gpu_policy_file = policy;
  const auto gpus = make_gpu(options_, "tdx", nullptr);
  ASSERT_TRUE(gpus);
  const auto gate = make_gpu_gate(options_, "tdx", gpus->get());
  std::filesystem::remove(policy);
  ASSERT_TRUE(gate);
  (*gate)->check();
  EXPECT_NE((*gate)->state().reason.find("nvidia.simulator"), std::string::npos) << (*gate)->state().reason;
}

}  // namespace
}  // namespace cloister::apps
