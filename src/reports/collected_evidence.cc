#include "reports/collected_evidence.h"

#include <atomic>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"
#include "codec/tdx_quote.h"
#include "evidence/gpu_evidence.h"

namespace cloister::reports {
namespace {

constexpr int kMostTries = 4;

// The reason is logged once, until collection succeeds again, since whoever asks for reports decides how often they
// fail. For quotes the TEE itself logs it.
std::atomic<bool> failing = false;
constexpr const char* kQuote = "quote";

Error for_strangers(const Error& error, const char* what) {
  if (what != kQuote && !failing.exchange(true)) {
    log::warn(std::string("the TEE gives no ") + what + " error=" + error.to_string());
  }
  if (error.code == ErrorCode::kBusy) return error;
  return fail(error.code, std::string("this node's TEE gives no ") + what + " for now; the node's log says why");
}

using Registers = std::array<ByteArray<48>, 4>;

Registers replayed(const std::vector<evidence::Event>& events) {
  std::vector<evidence::Extension> extensions;
  for (const evidence::Event& event : events) extensions.push_back({event.imr, event.digest});
  return evidence::replay(extensions);
}

// Only the runtime register changes while the machine runs. True where there is nothing to compare with.
bool fits(const TeeEvidence& taken) {
  const auto quote = codec::parse_tdx_quote(taken.quote);
  if (!quote) return true;
  const ByteArray<48>& quoted = quote->report.rtmr[evidence::kRuntimeRegister];
  if (!taken.events.empty() && replayed(taken.events)[evidence::kRuntimeRegister] != quoted) return false;
  const auto tcb_info = taken.info.info.find("tcb_info");
  if (tcb_info == taken.info.info.end() || !tcb_info->is_object()) return true;
  const auto said = tcb_info->find("rtmr3");
  if (said == tcb_info->end() || !said->is_string()) return true;
  const auto value = from_hex_exactly<48>(said->get_ref<const std::string&>());
  return value && *value == quoted;
}

bool same_log(const std::vector<evidence::Event>& a, const std::vector<evidence::Event>& b) {
  return a.size() == b.size() && (a.empty() || a.back().digest == b.back().digest);
}

}  // namespace

Result<TeeEvidence> collect_tee(tee::Tee& tee, const evidence::ReportData& report_data, EvidenceMetrics* metrics) {
  std::optional<std::vector<evidence::Event>> before;
  for (int left = kMostTries; left > 0; --left) {
    Result<Bytes> quote = tee.quote(report_data);
    if (!quote) return for_strangers(quote.error(), kQuote);
    if (metrics != nullptr) metrics->count_quote();
    auto events = tee.event_log();
    if (!events) return for_strangers(events.error(), "event log");
    auto info = tee.info();
    if (!info) return for_strangers(info.error(), "account of itself");
    failing = false;
    TeeEvidence taken{*std::move(quote), *std::move(events), *std::move(info)};
    if (fits(taken) || (before && same_log(*before, taken.events))) return taken;
    before = std::move(taken.events);
  }
  return fail(ErrorCode::kBusy, "the measurements of this machine keep changing; try again");
}

Result<GpuPart> collect_gpu(gpu::GpuEvidenceSource* source, bool optional, const evidence::Nonce& nonce) {
  GpuPart out;
  if (source == nullptr) return out;
  Result<std::vector<evidence::GpuEvidence>> devices = source->collect(nonce);
  if (!devices) {
    if (!optional || devices.error().code == ErrorCode::kBusy) return devices.error();
    out.error = devices.error().message;
    return out;
  }
  evidence::NvidiaPayload payload;
  payload.nonce_hex = to_hex(nonce);
  payload.arch = devices->empty() ? "" : devices->front().arch;
  payload.evidence_list = std::move(*devices);
  out.payload = evidence::write_nvidia_payload(payload);
  return out;
}

}  // namespace cloister::reports
