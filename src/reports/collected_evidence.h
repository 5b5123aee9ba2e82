// Collects what the hardware says for one report, so that its pieces fit together. Errors are worded for callers.
// Blocking: on workers only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/event_log.h"
#include "evidence/report_data.h"
#include "gpu/gpu_evidence_source.h"
#include "reports/evidence_metrics.h"
#include "tee/tee.h"

namespace cloister::reports {

struct TeeEvidence {
  Bytes quote;
  std::vector<evidence::Event> events;
  tee::TeeInfo info;
};

// Reads quote, event log and info until they belong together: an event that is measured in between would make a log
// that does not replay to the quote. Gives up with kBusy when the log grows each time. Evidence that belongs together
// and still does not replay (a TEE whose log is incomplete) is returned unchanged, for the verifier to check. Errors
// name no path and no address of this machine; the log has them.
Result<TeeEvidence> collect_tee(tee::Tee& tee, const evidence::ReportData& report_data, EvidenceMetrics* metrics);

struct GpuPart {
  std::optional<std::string> payload;  // nvidia_payload
  std::string error;                   // why there is none, where the node may serve without it
};
// `source` may be null. Returns an Error where there must be evidence (`optional` false), or where the device is busy.
Result<GpuPart> collect_gpu(gpu::GpuEvidenceSource* source, bool optional, const evidence::Nonce& nonce);

}  // namespace cloister::reports
