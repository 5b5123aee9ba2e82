// For tests of inference calls: a node's parts around an engine, an exchange and a time that the test controls.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "receipts/testing/reply_test_util.h"
#include "serve/inference_call.h"
#include "serve/testing/fake_engine.h"

namespace cloister::serve::testing {

// Jobs that run when the test lets time pass.
class FakeTimer {
 public:
  void add(std::chrono::milliseconds delay, std::function<void()> job) {
    jobs_.push_back({now_ + delay, std::move(job)});
  }
  void advance(std::chrono::milliseconds by) {
    const std::chrono::milliseconds end = now_ + by;
    for (;;) {
      const auto next = std::ranges::min_element(jobs_, {}, &Job::due);
      if (next == jobs_.end() || next->due > end) break;
      now_ = next->due;
      const std::function<void()> run = std::move(next->run);
      jobs_.erase(next);
      run();
    }
    now_ = end;
  }
  std::size_t waiting() const { return jobs_.size(); }

 private:
  struct Job {
    std::chrono::milliseconds due;
    std::function<void()> run;
  };
  std::chrono::milliseconds now_{0};
  std::vector<Job> jobs_;
};

template <typename Call, bool kPassesOn>
class CallTest : public receipts::testing::ReplyTest {
 protected:
  void SetUp() override {
    start_journal();
    context_.receipts = &*journal_;
  }
  // A reply that still runs is given up: a call counts in the metrics when it ends.
  void TearDown() override {
    if (exchange_) exchange_->leave();
    engine_.forget();
  }

  // Makes the call as its endpoint does.
  std::shared_ptr<Call> make(const std::string& body, http::Headers headers = {}, std::string query = {}) {
    auto call = std::make_shared<Call>(context_, route_, make_call(body, std::move(headers), std::move(query)));
    exchange_->on_abandoned([weak = std::weak_ptr(call)] {
      if (const auto live = weak.lock()) live->abandon();
    });
    return call;
  }
  void run(const std::string& body, http::Headers headers = {}, std::string query = {}) {
    make(body, std::move(headers), std::move(query))->run();
  }
  std::string error_code() { return Json::parse(exchange_->sent(), nullptr, false)["error"].value("code", ""); }
  std::string counted(int status) { return counted_in(metrics_.registry, status); }
  std::string abandoned() {
    const std::string text = metrics_.registry.render(), name = "\ncloister_replies_abandoned_total ";
    const std::size_t at = text.find(name);
    return at == std::string::npos ? text : text.substr(at + name.size(), text.find('\n', at + 1) - at - name.size());
  }

  InferenceRoute route_{engine::Route::kChatCompletions, "chat_completions", false, "/v1/chat/completions"};
  FakeEngine engine_{kPassesOn};
  FakeTimer timer_;
  Metrics metrics_;
  FairPool preparation_{2, {.waiting = 1}};
  FairPool lookups_{2, {.waiting = 1}};
  api::testing::FakeAuthenticator auth_;
  api::Cors cors_{{"*"}};
  api::WebGuard web_{cors_, {.tokens = true}};
  NodeContext context_{.engine = engine_,
                       .keyring = keyring_,
                       .identity = identity_,
                       .attestation = nullptr,
                       .tee_type = "none",
                       .app_id = {},
                       .gpu_evidence_type = "none",
                       .receipts = nullptr,
                       .metrics = metrics_,
                       .preparation = preparation_,
                       .lookups = lookups_,
                       .auth = auth_,
                       .operators = nullptr,
                       .cors = cors_,
                       .web = web_,
                       .clock = clock_,
                       .serves_itself = !kPassesOn,
                       .run_later = [this](http::Exchange&, std::chrono::milliseconds delay,
                                           std::function<void()> job) { timer_.add(delay, std::move(job)); },
                       .server_stats = {}};
};

}  // namespace cloister::serve::testing
