#include "gpu/nvml/nscq_session.h"

#include <algorithm>
#include <memory>

#include "gpu/nvml/nscq_abi.h"
#include "gpu/nvml/shared_library.h"

namespace cloister::gpu {
namespace {

constexpr std::size_t kMostSwitches = 64;

Error failed(const std::string& what, nscq::Return code) {
  return fail(ErrorCode::kGpuFailed, what + ": NVSwitch driver error " + std::to_string(code));
}

// The data that callbacks write into. C code calls them, so no exception may leave them.
struct Uuids {
  nscq::Return code = 0;
  std::size_t count = 0;
  nscq::Uuid found[kMostSwitches];
};
void on_uuid(const nscq::Uuid*, nscq::Return code, const nscq::Uuid* uuid, void* user) noexcept {
  auto& out = *static_cast<Uuids*>(user);
  if (code != 0 || uuid == nullptr) {
    out.code = code != 0 ? code : nscq::Return{-5};
  } else if (out.count < kMostSwitches) {
    out.found[out.count++] = *uuid;
  } else {
    out.code = -4;  // overflow
  }
}

struct Archs {
  nscq::Return code = 0;
  std::size_t count = 0;
  bool all_ls10 = true;
};
void on_arch(const nscq::Uuid*, nscq::Return code, std::int8_t arch, void* user) noexcept {
  auto& out = *static_cast<Archs*>(user);
  if (code != 0) out.code = code;
  out.all_ls10 = out.all_ls10 && arch == nscq::kArchLs10;
  ++out.count;
}

template <typename Value>
struct One {
  nscq::Return code = -5;  // until a value arrives
  Value value{};
};
void on_certificate(const nscq::Uuid*, nscq::Return code, nscq::Certificate certificate, void* user) noexcept {
  auto& out = *static_cast<One<nscq::Certificate>*>(user);
  out.code = code;
  out.value = certificate;
}
void on_report(const nscq::Uuid*, nscq::Return code, nscq::Report report, void* user) noexcept {
  auto& out = *static_cast<One<nscq::Report>*>(user);
  out.code = code;
  out.value = report;
}

class Switches {
 public:
  static Result<std::unique_ptr<Switches>> open(const std::string& path) {
    TRY(library, SharedLibrary::open(path));
    nscq::Functions f{};
    TRY_VOID(library.bind("nscq_session_create", f.create));
    TRY_VOID(library.bind("nscq_session_destroy", f.destroy));
    TRY_VOID(library.bind("nscq_session_path_observe", f.observe));
    TRY_VOID(library.bind("nscq_session_set_input", f.set_input));
    TRY_VOID(library.bind("nscq_uuid_to_label", f.label));
    const nscq::SessionResult made = f.create(nscq::kMountDevices);
    if (made.code < 0 || made.session == nullptr) return failed("nscq_session_create", made.code);
    return std::unique_ptr<Switches>(new Switches(std::move(library), f, made.session));
  }
  ~Switches() { nscq_.destroy(session_); }
  Switches(const Switches&) = delete;
  Switches& operator=(const Switches&) = delete;

  Result<std::vector<std::string>> labels() const {
    const auto uuids = std::make_unique<Uuids>();
    TRY_VOID(observe(nscq::kUuidPath, reinterpret_cast<nscq::Callback>(on_uuid), uuids.get()));
    if (uuids->code != 0) return failed(nscq::kUuidPath, uuids->code);
    if (uuids->count == 0) return fail(ErrorCode::kNoGpu, "the driver lists no NVSwitch");
    std::vector<std::string> out;
    for (std::size_t i = 0; i < uuids->count; ++i) {
      nscq::Label label{};
      if (const auto code = nscq_.label(&uuids->found[i], &label, 0); code != 0)
        return failed("nscq_uuid_to_label", code);
      const std::string_view text(label.data, sizeof label.data);
      out.emplace_back(text.substr(0, std::min(text.find('\0'), text.size())));
    }
    return out;
  }

  Result<void> check_arch(std::size_t switches) const {
    Archs archs;
    TRY_VOID(observe(nscq::kArchPath, reinterpret_cast<nscq::Callback>(on_arch), &archs));
    if (archs.code != 0) return failed(nscq::kArchPath, archs.code);
    if (archs.count == switches && archs.all_ls10) return {};
    return fail(ErrorCode::kGpuFailed, "expected " + std::to_string(switches) + " NVSwitches of the LS10 architecture");
  }

  Result<evidence::GpuEvidence> collect(const std::string& label, ByteArray<32> nonce) const {
    evidence::GpuEvidence out;
    out.arch = "LS10";
    const auto certificate = std::make_unique<One<nscq::Certificate>>();
    TRY_VOID(observe("/" + label + nscq::kCertificatePath, reinterpret_cast<nscq::Callback>(on_certificate),
                     certificate.get()));
    const auto& chain = certificate->value;
    if (certificate->code != 0) return failed(nscq::kCertificatePath, certificate->code);
    if (chain.size == 0 || chain.size > sizeof chain.chain) return wrong_size(nscq::kCertificatePath, chain.size);
    out.certificate_chain_pem = as_text({chain.chain, chain.size});
    while (out.certificate_chain_pem.ends_with('\0')) out.certificate_chain_pem.pop_back();

    if (const auto code = nscq_.set_input(session_, 0, nonce.data(), nonce.size()); code != 0) {
      return failed("nscq_session_set_input", code);
    }
    const auto report = std::make_unique<One<nscq::Report>>();
    TRY_VOID(observe("/" + label + nscq::kReportPath, reinterpret_cast<nscq::Callback>(on_report), report.get()));
    if (report->code != 0) return failed(nscq::kReportPath, report->code);
    const auto& bytes = report->value;
    if (bytes.size == 0 || bytes.size > sizeof bytes.bytes) return wrong_size(nscq::kReportPath, bytes.size);
    out.report.assign(bytes.bytes, bytes.bytes + bytes.size);
    return out;
  }

 private:
  Switches(SharedLibrary library, const nscq::Functions& functions, nscq::Session session)
      : library_(std::move(library)), nscq_(functions), session_(session) {}

  Result<void> observe(const std::string& path, nscq::Callback callback, void* user) const {
    const nscq::Return code = nscq_.observe(session_, path.c_str(), callback, user, 0);
    if (code < 0) return failed(path, code);
    return {};
  }

  static Error wrong_size(const char* what, std::uint32_t size) {
    return fail(ErrorCode::kGpuFailed, std::string(what) + " of " + std::to_string(size) + " bytes does not fit");
  }

  const SharedLibrary library_;
  const nscq::Functions nscq_;
  const nscq::Session session_;
};

}  // namespace

Result<std::vector<evidence::GpuEvidence>> collect_switches(const std::string& library, const ByteArray<32>& nonce) {
  TRY(switches, Switches::open(library));
  TRY(labels, switches->labels());
  TRY_VOID(switches->check_arch(labels.size()));
  std::vector<evidence::GpuEvidence> out;
  for (const std::string& label : labels) {
    TRY(evidence, switches->collect(label, nonce));
    out.push_back(std::move(evidence));
  }
  return out;
}

}  // namespace cloister::gpu
