// PassingCall: an inference request that goes on to another server, whose reply comes back unchanged. This node reads of
// both what the receipt says of them. All of it happens on the loop of the client's connection, except run() for a long
// body.
#pragma once

#include <memory>
#include <string_view>

#include "serve/inference_call.h"

namespace cloister::serve {

class PassingCall final : public InferenceCall {
 public:
  PassingCall(NodeContext& context, const InferenceRoute& route, api::Call call)
      : InferenceCall(context, route, std::move(call)) {}

  // Such an engine calls on_passed_head() instead.
  void on_start(std::string_view) override {}
  void on_forwarded(const ByteArray<32>& body_sha256) override;
  void on_passed_head(engine::PassedHead head) override;
  bool is_behind() override;
  void on_bytes(std::string_view bytes) override;
  void on_end(const engine::Outcome& outcome, std::string_view last) override;

 private:
  Result<void> start_engine() override;
};

}  // namespace cloister::serve
