// What the hardware says for one report: collected so that its pieces fit together, errors worded for those who ask.
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
#include "serve/evidence_metrics.h"
#include "tee/tee.h"

namespace cloister::serve {

struct TeeEvidence {
  Bytes quote;
  std::vector<evidence::Event> events;
  tee::TeeInfo info;
};

// Takes quote, event log and info until they belong together: an event that is measured in between would make a log
// that does not replay to the quote. Gives up with kBusy when the log grows each time. What belongs together and does
// not replay all the same (a TEE whose log is not whole) is given as it is: judging it is the verifier's work. Errors
// name no path and no address of this machine; the log has them.
Result<TeeEvidence> collect_tee(tee::Tee& tee, const evidence::ReportData& report_data, EvidenceMetrics* metrics);

struct GpuPart {
  std::optional<std::string> payload;  // nvidia_payload
  std::string error;                   // why there is none, where the node may do without
};
// `source` may be null. An Error where there must be evidence (`optional` false), or the device is busy.
Result<GpuPart> collect_gpu(gpu::GpuEvidenceSource* source, bool optional, const evidence::Nonce& nonce);

}  // namespace cloister::serve
