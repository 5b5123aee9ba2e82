// What `cloister serve` makes of its GPU options, in TEEs that this machine need not have.
#include "apps/gpu_parts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
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
  // "on", "off" or the error.
  std::string gate_of(std::string_view tee_type) {
    const auto gpus = make_gpu(options_, tee_type, tee_type == "insecure_simulator" ? &seed_ : nullptr);
    EXPECT_TRUE(gpus);
    const auto gate = make_gpu_gate(options_, tee_type, gpus->get());
    if (!gate) return "error: " + gate.error().message;
    return *gate ? "on" : "off";
  }

  FakeDriverFolder driver_;
  ServeOptions options_;
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
  const std::string policy = (std::filesystem::temp_directory_path() / ("gpu-policy-" + std::to_string(::getpid()))).string();
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
