#include "receipts/plaintext_tap.h"

#include <utility>

namespace cloister::receipts {

void PlaintextTap::on_outgoing(std::string_view bytes) {
  if (!has_events_.load(std::memory_order_acquire)) return;
  while (!bytes.empty()) {
    const codec::SseEvents::Part part = splitter_.next(bytes);
    if (!event_) event_.emplace();
    event_->update(as_bytes(bytes.substr(0, part.size)));
    bytes.remove_prefix(part.size);
    if (part.ends) end_event();
  }
}

void PlaintextTap::end_event() {
  // The hasher stays for the next event: finish() has reset it. The journal adds the salts.
  const evidence::EventHash event = event_->finish();
  events_.too_many = events_.hashes.size() >= evidence::kMostEvents;
  if (!events_.too_many) events_.hashes.push_back(event);
}

PlaintextTap::Events PlaintextTap::finish() {
  if (splitter_.finish()) end_event();
  return std::move(events_);
}

}  // namespace cloister::receipts
