// EngineAsk: asks an engine of this process as a client does, and waits for the reply.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "engine/collecting_sink.h"
#include "engine/engine.h"

namespace cloister::engine {

class EngineAsk {
 public:
  using Start =
      std::function<Result<std::shared_ptr<Generation>>(EngineRequest request, std::shared_ptr<ReplySink> sink)>;
  explicit EngineAsk(Start start) : start_(std::move(start)) {}

  // Sends a chat request of a tenant of its own, so that no cached prompt answers in place of the computation. Blocks,
  // a minute at most; several threads may call at once. kCancelled after stop().
  Result<std::string> ask(const std::string& body, const ByteArray<16>& tenant);
  // Ends all waiting and all later calls.
  void stop();

 private:
  bool enter(const std::shared_ptr<CollectingSink>& sink);
  void leave(const std::shared_ptr<CollectingSink>& sink);

  const Start start_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::set<std::shared_ptr<CollectingSink>> waiting_;
};

}  // namespace cloister::engine
