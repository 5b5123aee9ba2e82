// InferenceCall: the life of one inference request, from the checked body to the last reply byte. It starts an engine,
// whose sink it is, and feeds the reply. serve/computing_call.h is for engines of this node, serve/passing_call.h for
// engines that pass requests on; this class is what the two have in common.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/engine.h"
#include "receipts/receipted_reply.h"
#include "serve/node_context.h"

namespace cloister::serve {

struct InferenceRoute {
  engine::Route route;
  std::string name;  // "chat_completions"
  bool anthropic_dialect = false;
  std::string path;
  bool of_every_engine = true;  // false: only engines that pass requests on serve the route
  bool takes_files = false;     // a body may be a form with files
};

class InferenceCall : public engine::ReplySink, public std::enable_shared_from_this<InferenceCall> {
 public:
  ~InferenceCall() override;

  // Checks the request and starts the engine. On the loop for short bodies and engines that pass requests on or start
  // quickly, else on a thread of `preparation`.
  void run();
  // Answers with an error instead. Before run().
  void refuse(const Error& error) { reply_.fail(error); }
  // The client is gone: stops the generation. On the loop.
  void abandon();

  // engine::ReplySink, called from the engine's dispatcher thread, or from the loop by engines that pass replies on.
  void on_bytes(std::string_view bytes) override;
  void on_end(const engine::Outcome& outcome, std::string_view last) override;
  void on_error(const Error& error) override;

 protected:
  // `route` and the endpoint of the call outlive this object. Takes the body out of the exchange. On the loop, in the handler.
  InferenceCall(NodeContext& context, const InferenceRoute& route, api::Call call);

  // Checks the request and calls launch(). An error becomes the reply.
  virtual Result<void> start_engine() = 0;
  // What every engine is told of the request, with its body; called once.
  engine::EngineRequest make_request();
  // Refuses a request that asks for a protection which this node does not give, and returns true then.
  bool lacks_protection(const Json& members, bool takes_cache_salt);
  Result<void> launch(engine::EngineRequest request);
  // The client reads again. On the loop.
  void resume();

  NodeContext& context() { return context_; }
  const InferenceRoute& route() const { return route_; }
  const std::string& body() const { return *body_; }
  const ByteArray<32>& body_sha256() const { return body_sha256_; }
  receipts::ReceiptedReply& reply() { return reply_; }
  receipts::Transcript* transcript() { return reply_.transcript(); }

 private:
  bool is_abandoned();
  void count_first_bytes(std::string_view bytes);
  // The engine makes no more calls: it and this call let go of each other.
  void release_generation();

  NodeContext& context_;
  const InferenceRoute& route_;
  const Owner owner_;
  const std::string client_;
  std::shared_ptr<const std::string> body_;  // until the engine has it
  const ByteArray<32> body_sha256_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool first_bytes_ = true;
  receipts::ReceiptedReply reply_;

  std::mutex mutex_;  // guards the members below, which the loop and the engine's thread use
  std::shared_ptr<engine::Generation> generation_;
  bool over_ = false;
  bool abandoned_ = false;
};

// The error for a model that no engine serves; it names some that are served.
Error not_served(const engine::Engine& engine, const std::string& wanted);

}  // namespace cloister::serve
