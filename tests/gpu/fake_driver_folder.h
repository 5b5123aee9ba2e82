// The test's side of fake_driver.h: a temporary folder, named in the environment of this process.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "evidence/gpu_evidence.h"

namespace cloister::testing {

class FakeDriverFolder {
 public:
  FakeDriverFolder();  // one simulated device without faults
  ~FakeDriverFolder();
  FakeDriverFolder(const FakeDriverFolder&) = delete;
  FakeDriverFolder& operator=(const FakeDriverFolder&) = delete;

  // Replaces the settings, in one step for a program that reads them at the same time.
  void set(std::string_view lines) const;
  // Makes `name`0, `name`1 ... answer these recordings; `name` is "gpu" or "switch".
  void record(const std::string& name, const std::vector<evidence::GpuEvidence>& devices) const;

  // The path of a fake library, in the folder of this program.
  static std::string library(const std::string& name);

 private:
  void write(const std::string& name, std::string_view bytes) const;
  std::filesystem::path folder_;
};

struct Recording {
  std::vector<evidence::GpuEvidence> devices;
  ByteArray<32> nonce{};
};
// An evidence list of the recorded vectors: "evidence_hopper_1gpu.json". Fails the test when it is not there.
Recording read_recording(const std::string& file);

}  // namespace cloister::testing
