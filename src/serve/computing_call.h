// ComputingCall: an inference request that an engine of this node computes. This node reads the whole request, and writes
// the head of the reply. A stream of this node must not look dead: its head is sent after a second at the latest, and a
// comment line whenever nothing else has come for ten seconds.
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

#include "serve/inference_call.h"

namespace cloister::serve {

class ComputingCall final : public InferenceCall {
 public:
  ComputingCall(NodeContext& context, const InferenceRoute& route, api::Call call)
      : InferenceCall(context, route, std::move(call)) {}

  void on_start(std::string_view content_type) override;
  void on_bytes(std::string_view bytes) override;

 private:
  Result<void> start_engine() override;
  void begin_stream(std::string_view content_type);
  void look_again_in(std::chrono::milliseconds delay);
  void on_silence();

  bool stream_ = false;
  std::atomic<int> quiet_looks_ = 0;  // how many checks in a row found nothing new
};

}  // namespace cloister::serve
