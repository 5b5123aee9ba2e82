// Metrics: everything that a node counts, in one registry.
#pragma once

#include "api/request_metrics.h"
#include "metrics/registry.h"
#include "receipts/receipt_metrics.h"
#include "reports/evidence_metrics.h"
#include "serve/engine_metrics.h"

namespace cloister::serve {

struct Metrics {
  metrics::Registry registry;  // before those that belong to it
  api::RequestMetrics requests{registry};
  receipts::ReceiptMetrics receipts{registry};
  EngineMetrics engine{registry};
  reports::EvidenceMetrics evidence{registry};
};

}  // namespace cloister::serve
