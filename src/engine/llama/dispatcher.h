// Dispatcher: the one thread that takes results from llama.cpp's scheduler and gives them to their replies. However
// many replies run, there is no further thread, and the engine thread neither formats nor sends anything.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/fair_queue.h"
#include "engine/engine.h"
#include "engine/llama/loaded_model.h"

namespace cloister::engine::llama {

// A reply that waits for results. Only the dispatcher's thread calls it.
class ResultReceiver {
 public:
  virtual ~ResultReceiver() = default;
  // Returns true when this was the last result: all choices have ended, or the reply has failed.
  virtual bool on_result(server_task_result& result) = 0;
  virtual void on_failure(const Error& error) = 0;
  virtual bool is_cancelled() const = 0;
  virtual std::vector<int> task_ids() const = 0;
};

// The dispatcher's input, shared with the replies, which may outlive the engine. Any thread.
class DispatcherInbox {
 public:
  // Runs `job` on the dispatcher's thread. False when the engine has stopped.
  bool post(std::function<void()> job);

 private:
  friend class Dispatcher;
  DispatcherInbox(server_response& results, int wake_id) : results_(results), wake_id_(wake_id) {}

  std::mutex mutex_;
  bool closed_ = false;
  bool woken_ = false;
  std::vector<std::function<void()>> jobs_;
  server_response& results_;
  const int wake_id_;
};

class Dispatcher {
 public:
  // `model` outlives the dispatcher.
  explicit Dispatcher(LoadedModel& model);
  // Cancels what is running and informs the sinks.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const std::shared_ptr<DispatcherInbox>& inbox() const { return inbox_; }

  // The methods below run on the dispatcher's thread only, that is from a job. A task runs when it is its client's
  // turn. Clients take turns by tokens. No client with several tasks gets all sequences, nor has it more prompts in
  // the scheduler than the scheduler computes at once: the scheduler has an order of its own, in which a client that
  // comes later may be behind all of them. When too many tasks wait, the newest of the client with the most fail with
  // kBusy.
  void submit(std::vector<server_task> tasks, const std::shared_ptr<ResultReceiver>& receiver,
              const std::string& client);
  void drop(ResultReceiver& receiver);
  // The prompt of this task has been computed; its reply begins.
  void on_begun(int task);
  // Ends everything that runs or waits, with this error.
  void fail_all(const Error& error);

 private:
  struct Waiting {
    std::shared_ptr<server_task> task;  // together with its child tasks
    std::shared_ptr<ResultReceiver> receiver;
    std::size_t sequences = 1;
    int passed_over = 0;
  };
  struct Running {
    std::string client;
    std::size_t prompt_tokens = 0;  // 0 once the prompt is computed
  };
  struct Load {
    std::size_t sequences = 0;
    std::size_t prompt_tokens = 0;  // of prompts that are not computed yet
  };

  void loop();
  void run_jobs();
  void handle(server_task_result& result);
  void start_waiting();
  void start(const std::string& client, Waiting next);
  std::size_t share_of(const std::string& client) const;
  // Frees the sequence of this task.
  void release(int id);

  LoadedModel& model_;
  const int wake_id_;
  std::shared_ptr<DispatcherInbox> inbox_;
  std::atomic<bool> stopping_{false};
  std::unordered_set<int> ids_;  // of all tasks that run or wait, and also wake_id_
  std::unordered_map<int, std::shared_ptr<ResultReceiver>> receivers_;
  FairQueue<Waiting> waiting_;
  bool failing_ = false;  // nothing new is started
  std::size_t free_;      // free sequences
  const std::size_t sequences_;
  const std::size_t prompt_tokens_;           // for one client; one prompt alone may exceed it
  std::unordered_map<int, Running> running_;  // the tasks that have a sequence
  std::unordered_map<std::string, Load> by_client_;
  std::thread thread_;
};

}  // namespace cloister::engine::llama
