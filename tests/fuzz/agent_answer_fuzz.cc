// Answers of a dstack guest agent. Every reader takes every input, and an accepted value keeps its bounds. An accepted
// log is written and accepted again with the same digests.
#include "tee/dstack/agent_answers.h"

#include <algorithm>

#include "codec/json.h"
#include "fuzz.h"

namespace {

using namespace cloister;

void check_events(const std::vector<evidence::Event>& events) {
  const auto again = evidence::parse_event_log(codec::write_json(evidence::event_log_json(events)));
  FUZZ_CHECK(again.has_value() && again->size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    FUZZ_CHECK(events[i].imr >= 0 && events[i].imr <= 3);
    FUZZ_CHECK((*again)[i].digest == events[i].digest && (*again)[i].payload == events[i].payload);
    FUZZ_CHECK((*again)[i].version == events[i].version && (*again)[i].preimage == events[i].preimage);
  }
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

FUZZ_TARGET(input) {
  const std::string_view body = as_text(input);
  if (const auto quote = tee::parse_quote_answer(body)) {
    FUZZ_CHECK(!quote->quote.empty() && quote->quote.size() <= input.size());
    check_events(quote->events);
  }
  if (const auto key = tee::parse_key_answer(body)) {
    FUZZ_CHECK(key->secret.size() == 32 && key->signature_chain.size() == 2);
    for (const std::string& signature : key->signature_chain) FUZZ_CHECK(signature.size() == 130);
  }
  if (const auto info = tee::parse_info_answer(body)) {
    FUZZ_CHECK(info->info.info.is_object() && info->info.info.at("tcb_info").is_object());
    FUZZ_CHECK(!info->info.vm_config.empty());
    check_events(info->events);
  }
  if (const auto version = tee::parse_version_answer(body)) FUZZ_CHECK(version->size() <= 64 && is_printable(*version));
  const std::string reason = tee::parse_error_answer(body);
  FUZZ_CHECK(reason.size() <= 200 && is_printable(reason));
}
