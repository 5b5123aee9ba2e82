#include "receipts/receipt_metrics.h"

namespace cloister::receipts {

ReceiptMetrics::ReceiptMetrics(metrics::Registry& registry)
    : signatures_(registry.counter("cloister_signatures_total", "Replies signed")),
      receipts_(registry.counter("cloister_receipts_total", "Replies that went out with a receipt")),
      store_failures_(
          registry.counter("cloister_receipt_store_failures_total", "Writes that the receipts' store refused")),
      lost_(registry.counter("cloister_receipts_lost_total", "Receipts that no store took and memory had no room for")),
      waiting_(registry.gauge("cloister_receipts_waiting", "Finished requests whose receipts are not stored yet")),
      stored_(registry.gauge("cloister_receipts_stored", "Receipts that can be fetched, counted every few seconds")) {}

void ReceiptMetrics::set_receipts(std::size_t waiting, std::uint64_t lost) {
  waiting_.set(static_cast<double>(waiting));
  lost_.raise(lost);
}

}  // namespace cloister::receipts
