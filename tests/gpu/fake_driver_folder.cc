#include "tests/gpu/fake_driver_folder.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/testing/vectors.h"

namespace cloister::testing {
FakeDriverFolder::FakeDriverFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "cloister-driver-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  write("seed", std::string(32, 'S'));
  set("");
  ::setenv("CLOISTER_FAKE_DRIVER", folder_.c_str(), 1);
}

FakeDriverFolder::~FakeDriverFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void FakeDriverFolder::write(const std::string& name, std::string_view bytes) const {
  ASSERT_TRUE(write_file_atomically(folder_ / name, bytes, 0600));
}

void FakeDriverFolder::set(std::string_view lines) const { write("settings", lines); }

void FakeDriverFolder::record(const std::string& name, const std::vector<evidence::GpuEvidence>& devices) const {
  for (std::size_t i = 0; i < devices.size(); ++i) {
    write(name + std::to_string(i) + ".report", as_text(devices[i].report));
    write(name + std::to_string(i) + ".chain", devices[i].certificate_chain_pem);
  }
}

std::string FakeDriverFolder::library(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / ("lib" + name + ".so")).string();
}

Recording read_recording(const std::string& file) {
  Recording out;
  const auto payload = evidence::parse_nvidia_payload(vector_text("nvidia/" + file));
  EXPECT_TRUE(payload) << payload.error().message;
  if (!payload) return out;
  out.devices = payload->evidence_list;
  out.nonce = *from_hex_exactly<32>(payload->nonce_hex);
  return out;
}

}  // namespace cloister::testing

// Read by the address sanitizer at the start of the program. The stand-in libraries keep the certificates of their devices until the
// process ends. When such a library is unloaded, nothing points to them any more, and they would count as leaks of the program.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
