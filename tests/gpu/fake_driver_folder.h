// The test's side of fake_driver.h: a temporary folder that the environment of this process names.
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

  // Replaces the settings in one step, so that a program can read them at the same time.
  void set(std::string_view lines) const;
  // Makes `name`0, `name`1 ... answer with these recordings. `name` is "gpu" or "switch".
  void record(const std::string& name, const std::vector<evidence::GpuEvidence>& devices) const;

  // Returns the path of a fake library, in the folder of this program.
  static std::string library(const std::string& name);

 private:
  void write(const std::string& name, std::string_view bytes) const;
  std::filesystem::path folder_;
};

struct Recording {
  std::vector<evidence::GpuEvidence> devices;
  ByteArray<32> nonce{};
};
// Returns an evidence list of the recorded vectors, such as "evidence_hopper_1gpu.json". The test fails when the file
// is missing.
Recording read_recording(const std::string& file);

}  // namespace cloister::testing
