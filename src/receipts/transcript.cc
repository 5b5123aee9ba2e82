#include "receipts/transcript.h"

#include <utility>

namespace cloister::receipts {

Transcript::Transcript(ReceiptJournal& journal, ReplyFacts facts, std::shared_ptr<PlaintextTap> tap, bool in_band,
                       bool anthropic_dialect)
    : journal_(journal),
      receipt_id_(facts.receipt_id),
      epoch_(facts.epoch),
      in_band_(in_band),
      anthropic_dialect_(anthropic_dialect),
      tap_(std::move(tap)),
      facts_(std::move(facts)) {}

void Transcript::set_served(std::string model, const ByteArray<32>& forwarded_sha256, const std::string& reply_id,
                            KnownAnswers known_answers) {
  change([&](ReplyFacts& facts) {
    facts.served_model = std::move(model);
    facts.known_answers = std::move(known_answers);
    facts.forwarded_sha256 = forwarded_sha256;
    facts.reply_id = reply_id;
  });
}

void Transcript::set_not_served() {
  change([](ReplyFacts& facts) {
    facts.forwarded_sha256.reset();
    facts.reply_id.clear();
  });
}

void Transcript::set_asked(std::optional<std::string> model, LookUp look_up) {
  change([&](ReplyFacts& facts) {
    facts.model = std::move(model);
    facts.model_told_by_reply = true;
    look_up_ = std::move(look_up);
  });
}

void Transcript::set_forwarded(const ByteArray<32>& sha256) {
  change([&](ReplyFacts& facts) { facts.forwarded_sha256 = sha256; });
}

void Transcript::expect_events(const evidence::SaltSeed& secret) {
  change([&](ReplyFacts& facts) {
    facts.event_stream = true;
    facts.reply_secret = secret;
  });
  tap_->expect_events();
}

void Transcript::set_failure(const Error& error) {
  set_failure(std::string(error_id(error.code)), error_http_status(error.code));
}

void Transcript::set_failure(std::string error, int status) {
  change([&](ReplyFacts& facts) {
    facts.error = std::move(error);
    facts.status = status;
  });
}

void Transcript::on_body(std::string_view bytes) {
  witness_.on_sent(bytes);
  tap_->on_outgoing(bytes);
}

FinishedReply Transcript::finish(bool cut) {
  FinishedReply out;
  const WireWitness::Seen seen = witness_.finish(cut);
  PlaintextTap::Events events = tap_->finish();
  const codec::ReplyWords* const words = uses_words_ ? tap_->words() : nullptr;
  const std::lock_guard lock(mutex_);
  facts_.response_sha256 = seen.sha256;
  facts_.response_bytes = seen.bytes;
  facts_.cut = seen.cut;
  facts_.events = std::move(events.hashes);
  facts_.too_many_events = events.too_many;
  if (words != nullptr && !words->id().empty()) facts_.reply_id = words->id();
  if (words != nullptr && facts_.model_told_by_reply) facts_.served_model = words->model();
  if (look_up_ && !facts_.served_model.empty()) {
    Listed listed = look_up_(facts_.served_model);
    facts_.served_model_digest = listed.digest;
    facts_.known_answers = std::move(listed.known_answers);
  }
  out.facts = std::move(facts_);
  out.in_band = in_band_;
  out.anthropic_dialect = anthropic_dialect_;
  return out;
}

http::ReplyObserver::End Transcript::on_complete(const std::shared_ptr<http::Exchange>& exchange) {
  FinishedReply finished = finish(false);
  finished.exchange = exchange;
  journal_.submit(std::move(finished));
  return End::kHold;
}

void Transcript::on_cut() {
  FinishedReply finished = finish(true);
  journal_.submit(std::move(finished));
}

}  // namespace cloister::receipts
