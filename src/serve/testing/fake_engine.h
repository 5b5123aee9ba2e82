// For tests: an engine whose replies the test writes, through the sink of the last request.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"

namespace cloister::serve::testing {

class FakeEngine final : public engine::Engine {
 public:
  struct Generation final : engine::Generation {
    void cancel() override { ++cancelled; }
    void resume() override { ++resumed; }
    int cancelled = 0, resumed = 0;
    std::shared_ptr<engine::ReplySink> sink;  // as a running reply of an engine holds it
  };

  explicit FakeEngine(bool passes_on) : passes_on_(passes_on) {}

  std::string_view name() const override { return "fake"; }
  engine::Health health() const override { return health_; }
  std::vector<engine::ModelInfo> models() const override { return models_; }
  std::set<engine::Route> routes() const override {
    return {engine::Route::kChatCompletions, engine::Route::kEmbeddings};
  }
  engine::EngineStats stats() const override { return {}; }
  bool passes_on() const override { return passes_on_; }
  Result<std::shared_ptr<engine::Generation>> start(engine::EngineRequest request,
                                                    std::shared_ptr<engine::ReplySink> sink) override {
    request_ = std::move(request);
    if (refusal_) return *refusal_;
    sink_ = std::move(sink);
    generation_ = std::make_shared<Generation>();
    generation_->sink = sink_;
    if (while_starting_) while_starting_();
    return std::shared_ptr<engine::Generation>(generation_);
  }

  engine::ReplySink& sink() { return *sink_; }
  bool was_asked() const { return request_.has_value(); }
  // Lets go of a reply, as an engine does when the reply has ended or was cancelled.
  void forget() {
    sink_.reset();
    generation_.reset();
  }

  engine::Health health_ = engine::Health::kReady;
  std::vector<engine::ModelInfo> models_ = {{.id = "m", .identity = nullptr}};
  std::optional<Error> refusal_;
  std::function<void()> while_starting_;
  std::optional<engine::EngineRequest> request_;  // the last one
  std::shared_ptr<engine::ReplySink> sink_;
  std::shared_ptr<Generation> generation_;

 private:
  const bool passes_on_;
};

}  // namespace cloister::serve::testing
