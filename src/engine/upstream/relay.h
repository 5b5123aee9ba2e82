// Relay: one request on its way to an upstream, and the reply on its way back. It lives on the loop of the client's
// connection; cancel() may come from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "codec/json_outline.h"
#include "engine/dialect/stream_end.h"
#include "engine/engine.h"
#include "engine/upstream/choice.h"
#include "engine/upstream/identity_maker.h"
#include "engine/upstream/salt.h"
#include "engine/upstream/server.h"
#include "engine/upstream/turns.h"
#include "http/outgoing.h"

namespace cloister::engine::upstream {

// What all relays of an engine share.
struct RelayParts {
  explicit RelayParts(UpstreamOptions with)
      : options(std::move(with)),
        answers(options.known_answers),
        turns(options.parallel * options.urls.size(), options.most_waiting) {}
  const UpstreamOptions options;
  Answers answers;
  std::unique_ptr<IdentityMaker> identities;
  Servers servers;
  Salter salter;
  Turns turns;
};

class Relay final : public Generation,
                    public TurnTaker,
                    public http::OutgoingSink,
                    public std::enable_shared_from_this<Relay> {
 public:
  // Checks what has to be known before a byte is sent. The relay shares `parts`. Errors: as plan_insertion().
  static Result<std::shared_ptr<Relay>> make(std::shared_ptr<RelayParts> parts, EngineRequest request,
                                             std::shared_ptr<ReplySink> sink);
  Relay(std::shared_ptr<RelayParts> parts, EngineRequest request, std::shared_ptr<ReplySink> sink, std::string model);

  // On the loop. Waits for its turn where too many are under way.
  void start();

  bool on_turn() override;
  void on_no_turn() override;

  void cancel() override;
  void resume() override;

  void on_head(http::OutgoingHead head) override;
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed(http::OutgoingFailure failure, const Error& error) override;

 private:
  void try_next();
  Result<http::OutgoingRequest> make_request(bool fresh_connection);
  void send(bool fresh_connection);
  void leave_server();
  // Runs `job` on the loop unless everything is over.
  template <typename Job>
  bool run_unless_over(Job job);
  void begin();
  // Everything is over; returns the sink for a last word. Null when that was before.
  std::shared_ptr<ReplySink> finish();
  void end_with(const Error& error);
  void end_here(http::OutgoingFailure failure);

  const std::shared_ptr<RelayParts> parts_;
  EngineRequest request_;
  Choice choice_;
  std::shared_ptr<Server> server_;
  std::shared_ptr<http::OutgoingCall> call_;
  StreamEnd stream_end_;
  std::optional<codec::JsonOutline> unframed_json_;  // of a JSON reply without a length
  std::uint64_t unframed_bytes_ = 0;
  bool waits_ = false;      // for its turn
  bool has_place_ = false;  // its turn has come
  bool replying_ = false;
  bool sent_again_ = false;
  std::shared_ptr<ReplySink> sink_;

  std::atomic<bool> silenced_{false};
  std::mutex mutex_;  // guards over_, and what may happen only while it is false
  bool over_ = false;
};

}  // namespace cloister::engine::upstream
