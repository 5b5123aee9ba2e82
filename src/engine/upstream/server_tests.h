// ServerTests: the known-answer tests of one upstream, through the upstream's own API. They run on the thread that
// watches the upstream, except state() and result().
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/known_answers/record.h"
#include "engine/known_answers/schedule.h"
#include "engine/upstream/answers.h"
#include "engine/upstream/probe.h"
#include "http/client.h"

namespace cloister::engine::upstream {

// Asks POST /v1/chat/completions. kBusy for 429 and 503; kUpstreamBroken, with the status alone, for any other status
// except 200; else the client's errors. `client` outlives it.
Ask ask_server(const http::Client& client);
// Further members that a test request needs at a server of this kind ("vllm", "llamacpp"), so that no cache answers in
// place of the computation; fresh for each test.
Json uncached_members(const std::string& kind, bool salted);

class ServerTests {
 public:
  // The arguments outlive this object.
  ServerTests(std::string server, Answers& answers, std::chrono::milliseconds every, const http::Client& client)
      : server_(std::move(server)), answers_(answers), every_(every), client_(client) {}

  // Tests each model that has known answers and is due; all of them when the server was not up before. Errors keep the
  // server from being used: kEngineFailed for a failed test, after which is_withdrawn(); kBusy while no test could be
  // made yet; and those of Answers::find(). Blocks.
  Result<void> test(const Findings& findings, bool was_up, bool salted);
  bool is_withdrawn() const { return withdrawn_; }
  // Called when the server was unreachable: the server that answers next is tested anew.
  void forget_withdrawal();

  std::vector<KnownAnswersState> state() const;
  std::shared_ptr<const evidence::KnownAnswersResult> result(std::string_view model) const;

 private:
  struct Tested {
    Tested(std::shared_ptr<const GivenAnswers> answers, const std::string& server, std::chrono::milliseconds every)
        : record(std::move(answers), server), schedule(every) {}
    TestRecord record;
    TrialSchedule schedule;
    TrialSchedule::Time due{};
  };
  std::shared_ptr<Tested> tested(const std::string& model, std::shared_ptr<const GivenAnswers> answers);
  Result<void> test_model(const ModelInfo& model, Tested& tested, const std::string& kind, bool salted);

  const std::string server_;
  Answers& answers_;
  const std::chrono::milliseconds every_;
  const http::Client& client_;
  std::atomic<bool> withdrawn_{false};
  mutable std::mutex mutex_;                                            // guards the map
  std::map<std::string, std::shared_ptr<Tested>, std::less<>> tested_;  // by model
};

}  // namespace cloister::engine::upstream
