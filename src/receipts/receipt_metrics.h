// ReceiptMetrics: what is counted of receipts. Lock-free. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "metrics/registry.h"

namespace cloister::receipts {

class ReceiptMetrics {
 public:
  // The registry outlives this object.
  explicit ReceiptMetrics(metrics::Registry& registry);

  void count_signature() { signatures_.increment(); }
  void count_receipt() { receipts_.increment(); }
  void count_store_failure() { store_failures_.increment(); }
  // `lost`: since the start.
  void set_receipts(std::size_t waiting, std::uint64_t lost);
  void set_stored(std::uint64_t count) { stored_.set(static_cast<double>(count)); }

 private:
  metrics::Counter signatures_;
  metrics::Counter receipts_;
  metrics::Counter store_failures_;
  metrics::Counter lost_;
  metrics::Gauge waiting_;
  metrics::Gauge stored_;
};

}  // namespace cloister::receipts
