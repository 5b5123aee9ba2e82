// The library has NSCQ's interface and serves recorded switches (fake_driver.h).
#include <algorithm>
#include <cstring>

#include "gpu/nvml/nscq_abi.h"
#include "tests/gpu/fake_driver.h"

namespace {

using namespace cloister;
namespace nscq = gpu::nscq;

int switches() {
  int count = 0;
  while (!testing::fake_driver_file("switch" + std::to_string(count) + ".report").empty()) ++count;
  return count;
}

// Notes that a nonce was set. Its value is not used, because recorded reports answer only one nonce.
bool nonce_was_set = false;

template <typename Value>
void fill(Value& value, std::uint32_t& size, const std::string& bytes) {
  std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
  size = static_cast<std::uint32_t>(bytes.size());
}

}  // namespace

extern "C" {

#define FAKE_API __attribute__((visibility("default")))

FAKE_API nscq::SessionResult nscq_session_create(std::uint32_t) {
  const auto code = static_cast<nscq::Return>(testing::FakeSettings().number("nscq_session_create", 0));
  return {code, reinterpret_cast<nscq::Session>(std::uintptr_t{1})};
}

FAKE_API void nscq_session_destroy(nscq::Session) {}

FAKE_API nscq::Return nscq_session_set_input(nscq::Session, std::uint32_t, void*, std::uint32_t size) {
  nonce_was_set = size == 32;
  return nonce_was_set ? 0 : -5;
}

FAKE_API nscq::Return nscq_uuid_to_label(const nscq::Uuid* uuid, nscq::Label* out, std::uint32_t) {
  std::strcpy(out->data, ("SWX-" + std::to_string(uuid->bytes[0])).c_str());
  return 0;
}

FAKE_API nscq::Return nscq_session_path_observe(nscq::Session, const char* path_text, nscq::Callback callback,
                                                void* user, std::uint32_t) {
  const std::string path = path_text;
  const testing::FakeSettings settings;
  const auto code = static_cast<nscq::Return>(settings.number(path.substr(path.rfind('/') + 1), 0));
  for (int i = 0; i < switches(); ++i) {
    nscq::Uuid uuid{};
    uuid.bytes[0] = static_cast<std::uint8_t>(i);
    const std::string own = "/SWX-" + std::to_string(i);
    const std::string file = "switch" + std::to_string(i);
    if (path == nscq::kUuidPath) {
      reinterpret_cast<nscq::OnUuid>(callback)(&uuid, code, &uuid, user);
    } else if (path == nscq::kArchPath) {
      reinterpret_cast<nscq::OnArch>(callback)(&uuid, code, static_cast<std::int8_t>(settings.number("switch_arch", 2)),
                                               user);
    } else if (path == own + nscq::kCertificatePath) {
      nscq::Certificate certificate{};
      fill(certificate.chain, certificate.size, testing::fake_driver_file(file + ".chain"));
      reinterpret_cast<nscq::OnCertificate>(callback)(&uuid, code, certificate, user);
    } else if (path == own + nscq::kReportPath) {
      if (!nonce_was_set) return -5;
      nscq::Report report{};
      fill(report.bytes, report.size, testing::fake_driver_file(file + ".report"));
      if (settings.number("switch_report_size", 0) != 0) report.size = 9000;
      reinterpret_cast<nscq::OnReport>(callback)(&uuid, code, report, user);
    }
  }
  return 0;
}

}  // extern "C"
