// The fake driver libraries read a folder that the environment variable CLOISTER_FAKE_DRIVER names. They read it again
// at every call, so that a test can change what the "driver" does while a program runs.
//
//   settings        lines `key=value`; all optional:
//     devices=1  arch=9  driver=550.144.03  environment=2  feature=1  developer_tools=0  multi_gpu=0  ready=1
//     <function>=<code>     that function returns this code, e.g. nvmlDeviceGetConfComputeGpuAttestationReport=15
//     generation=1          another value is a reset: the GPUs are lost until the library is initialised again
//     hold=1                reports are held back until this is gone
//     report_size=9000      the size that a report claims to have
//     other_nonce=1         reports answer another nonce than the one asked for
//   gpuN.report, gpuN.chain        recorded evidence of device N: raw bytes, PEM
//   switchN.report, switchN.chain  the same for switch N
//   seed            32 bytes: devices without a recording are simulated from it
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace cloister::testing {

inline std::filesystem::path fake_driver_folder() {
  const char* folder = std::getenv("CLOISTER_FAKE_DRIVER");
  return folder != nullptr ? folder : "/nonexistent";
}

inline std::string fake_driver_file(const std::string& name) {
  std::ifstream file(fake_driver_folder() / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class FakeSettings {
 public:
  FakeSettings() {
    std::ifstream file(fake_driver_folder() / "settings");
    for (std::string line; std::getline(file, line);) {
      const std::size_t sign = line.find('=');
      if (sign != std::string::npos) values_[line.substr(0, sign)] = line.substr(sign + 1);
    }
  }
  std::string text(const std::string& key, const std::string& otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : found->second;
  }
  int number(const std::string& key, int otherwise) const {
    const auto found = values_.find(key);
    return found == values_.end() ? otherwise : std::atoi(found->second.c_str());
  }

 private:
  std::map<std::string, std::string> values_;
};

inline void wait_while_held() {
  while (FakeSettings().number("hold", 0) != 0) ::usleep(2000);
}

}  // namespace cloister::testing
