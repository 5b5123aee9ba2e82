// InferenceCall: the life of one inference request, from the checked body to the last reply byte. It is the sink that
// the engine fills and it feeds the exchange; the transcript observes the exchange's other end.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "engine/engine.h"
#include "receipts/transcript.h"
#include "serve/node_context.h"

namespace cloister::serve {

struct InferenceRoute {
  engine::Route route;
  std::string name;  // "chat_completions"
  bool anthropic_dialect = false;
  std::string path;
  bool of_every_engine = true;  // false: only engines that pass requests on serve the route
};

class InferenceCall : public engine::ReplySink, public std::enable_shared_from_this<InferenceCall> {
 public:
  // `route` and the endpoint of the call outlive this object. Takes the body out of the exchange. On the loop, in the handler.
  InferenceCall(NodeContext& context, const InferenceRoute& route, api::Call call);
  ~InferenceCall() override;

  // Checks the request and starts the engine. On the loop for short bodies and engines that pass requests on or start
  // quickly, else on a thread of Preparation.
  void run();
  // Answers with an error instead. Before run().
  void refuse(const Error& error);
  // The client is gone: stops the generation. On the loop.
  void abandon();

  // engine::ReplySink, called from the engine's dispatcher thread, or from the loop by engines that pass replies on.
  void on_start(std::string_view content_type) override;
  void on_forwarded(const ByteArray<32>& body_sha256) override;
  void on_passed_head(engine::PassedHead head) override;
  bool is_behind() override;
  void on_bytes(std::string_view bytes) override;
  void on_end(const engine::Outcome& outcome, std::string_view last) override;
  void on_error(const Error& error) override;

 private:
  Result<void> start_engine();
  Result<void> pass_on();
  Result<void> launch(engine::EngineRequest request);
  bool lacks_protection(const Json& members);
  void refuse_on(std::shared_ptr<http::Exchange> exchange, const Error& error);
  // A stream of this node's own engines must not look dead: its head is sent after a second at the latest, and a
  // comment line whenever nothing else has come for ten seconds. All runs on the loop except the first call.
  void watch_silence();
  void look_again_in(std::chrono::milliseconds delay);
  void on_silence();
  // Called with the lock held.
  void begin_stream(std::string_view content_type);
  // What an observer of these bytes reads, besides the reply's client.
  void read(std::string_view bytes);
  // The client reads again.
  void resume();
  std::shared_ptr<receipts::Transcript> make_transcript(const http::Request& request,
                                                        std::shared_ptr<const identity::Epoch> epoch) const;
  // For a stream: its receipt names the events, and its client gets the secret that salts them.
  void expect_events();
  void add_proof_headers(http::Headers& headers) const;
  http::Headers reply_headers() const;
  // The exchange holds callbacks that hold this call: releasing the exchange breaks the cycle.
  std::shared_ptr<http::Exchange> take_exchange();

  NodeContext& context_;
  const InferenceRoute& route_;
  const std::string id_;
  const api::Endpoint& endpoint_;
  const Owner owner_;
  const std::string client_;
  std::shared_ptr<const std::string> body_;  // until the engine has it
  ByteArray<32> body_sha256_{};
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool stream_ = false;
  bool streaming_ = false;  // the reply's head was sent
  bool first_bytes_ = true;
  bool passed_on_ = false;  // another server's reply has begun
  int status_ = 200;
  http::Headers passed_headers_;
  std::string content_type_;
  std::string buffered_;
  std::shared_ptr<codec::ReplyWords> words_;          // of another server's reply; on the loop
  std::shared_ptr<receipts::Transcript> transcript_;  // null when nothing is signed
  std::string reply_secret_;                          // hex; for a stream that has a receipt

  std::mutex mutex_;  // guards the members below, which the loop and the engine's thread use
  std::shared_ptr<http::Exchange> exchange_;
  std::shared_ptr<engine::Generation> generation_;
  bool abandoned_ = false;
  int quiet_looks_ = 0;  // how many checks in a row found nothing new
};

}  // namespace cloister::serve
