// Transcript: collects the facts of one reply's receipt, from whoever makes the reply, from the tap of its plaintext and
// from the witness of the wire. When the reply is complete, it holds back the end until the journal has stored the
// receipt; when the reply is cut, the receipt is about what was sent until then.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/exchange.h"
#include "receipts/plaintext_tap.h"
#include "receipts/receipt_journal.h"
#include "receipts/reply_facts.h"
#include "receipts/wire_witness.h"

namespace cloister::receipts {

class Transcript : public http::ReplyObserver {
 public:
  // `facts` as far as they are known when the request has arrived. On the loop.
  Transcript(ReceiptJournal& journal, ReplyFacts facts, std::shared_ptr<PlaintextTap> tap, bool in_band,
             bool anthropic_dialect);

  // The last test that a model passed; null where it is not tested.
  using KnownAnswers = std::shared_ptr<const evidence::KnownAnswersResult>;

  // Constant.
  const std::string& receipt_id() const { return receipt_id_; }
  const identity::Epoch& epoch() const { return *epoch_; }
  bool in_band() const { return in_band_; }

  // Any thread, before what the call is about has been sent.
  void set_model(std::string asked_for) {
    change([&](ReplyFacts& facts) { facts.model = std::move(asked_for); });
  }
  // An engine of this node gets the unchanged prompt; the reply will have this id.
  void set_served(std::string model, const ByteArray<32>& forwarded_sha256, const std::string& reply_id,
                  KnownAnswers known_answers);
  // Called when that engine did not accept the prompt.
  void set_not_served();
  // Another server is asked for this model, if any is named. The reply says which model answered; `look_up` returns what is known of a
  // model of that name: the digest of the identity that it is listed with, and its test. Called on the loop, once, when the reply is over.
  struct Listed {
    std::optional<ByteArray<32>> digest;
    KnownAnswers known_answers;
  };
  using LookUp = std::function<Listed(std::string_view model)>;
  void set_asked(std::optional<std::string> model, LookUp look_up);
  void set_forwarded(const ByteArray<32>& sha256);
  void set_status(int status) {
    change([&](ReplyFacts& facts) { facts.status = status; });
  }
  void set_failure(const Error& error);
  // `error`: a stable id.
  void set_failure(std::string error, int status);
  void set_outcome(const evidence::ReplyOutcome& outcome) {
    change([&](ReplyFacts& facts) { facts.outcome = outcome; });
  }
  // `secret` is the salt of the events' leaves.
  void expect_events(const evidence::SaltSeed& secret);
  // The receipt names the id and the model that the tap has read in the reply of another server, once the reply is over.
  // On the loop.
  void use_words() { uses_words_ = true; }

  // Nothing is sealed, so that the bytes on the wire are the plaintext.
  void on_body(std::string_view bytes) override;
  End on_complete(const std::shared_ptr<http::Exchange>& exchange) override;
  void on_cut() override;

 private:
  template <typename Change>
  void change(Change&& by) {
    const std::lock_guard lock(mutex_);
    by(facts_);
  }
  FinishedReply finish(bool cut);

  ReceiptJournal& journal_;
  const std::string receipt_id_;
  const std::shared_ptr<const identity::Epoch> epoch_;
  const bool in_band_;
  const bool anthropic_dialect_;
  const std::shared_ptr<PlaintextTap> tap_;

  // Used by the loop's thread only.
  WireWitness witness_;
  bool uses_words_ = false;

  std::mutex mutex_;  // guards what the engine's thread and the loop share
  ReplyFacts facts_;
  LookUp look_up_;
};

}  // namespace cloister::receipts
