// EngineMetrics: what is measured of the engine behind a node. It is set when somebody asks for the metrics. Any thread.
#pragma once

#include <vector>

#include "engine/engine.h"
#include "engine/known_answers/record.h"
#include "metrics/registry.h"

namespace cloister::serve {

class EngineMetrics {
 public:
  // The registry outlives this object.
  explicit EngineMetrics(metrics::Registry& registry);

  void set_engine(const engine::EngineStats& stats, bool ready);
  void set_upstreams(const std::vector<engine::UpstreamState>& upstreams);
  void set_known_answers(const std::vector<engine::KnownAnswersState>& states);

 private:
  metrics::Gauge active_;
  metrics::Gauge waiting_;
  metrics::Gauge ready_;
  metrics::GaugeFamily upstream_up_;
  metrics::GaugeFamily upstream_active_;
  metrics::CounterFamily upstream_requests_;
  metrics::CounterFamily upstream_failures_;
  metrics::GaugeFamily answers_passed_at_;
  metrics::GaugeFamily answers_seconds_;
  metrics::GaugeFamily answers_deviation_;
  metrics::CounterFamily answers_failures_;
};

}  // namespace cloister::serve
