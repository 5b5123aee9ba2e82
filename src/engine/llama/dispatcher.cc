#include "engine/llama/dispatcher.h"

#include <pthread.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace cloister::engine::llama {
namespace {

// An idle thread wakes up this often; work wakes it at once.
constexpr int kIdleSeconds = 60;

// Number of prompts that may wait for a sequence, for all clients together.
constexpr std::size_t kMostWaiting = 1024;
// A task that needs several sequences at once is passed over this often; then the next free ones are kept for it.
constexpr int kPassedOver = 16;

// How many tokens a reply is expected to have, where its request does not limit it to fewer.
constexpr int kExpectedTokens = 256;

double cost_of(const server_task& task) {
  const int limit = task.params.n_predict;
  const int expected = limit < 0 ? kExpectedTokens : std::min(limit, kExpectedTokens);
  return static_cast<double>(task.tokens.size()) +
         static_cast<double>(expected) * static_cast<double>(1 + task.child_tasks.size());
}

// Goes through the queue of results to wake the thread that waits there.
struct WakeResult : server_task_result {
  json to_json() override { return {}; }
};

}  // namespace

bool DispatcherInbox::post(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (closed_) return false;
  jobs_.push_back(std::move(job));
  if (woken_) return true;
  woken_ = true;
  auto wake = std::make_unique<WakeResult>();
  wake->id = wake_id_;
  results_.send(std::move(wake));
  return true;
}

Dispatcher::Dispatcher(LoadedModel& model)
    : model_(model),
      wake_id_(model.tasks().get_new_id()),
      inbox_(new DispatcherInbox(model.results(), wake_id_)),
      ids_{wake_id_},
      waiting_(kMostWaiting),
      free_(static_cast<std::size_t>(model.params().n_parallel)),
      sequences_(free_),
      // Half of what is computed at once, so that a batch is short for the others in it.
      prompt_tokens_(static_cast<std::size_t>(std::max(model.params().n_batch / 2, 1))) {
  model_.results().add_waiting_task_id(wake_id_);
  thread_ = std::thread([this] { loop(); });
  pthread_setname_np(thread_.native_handle(), "engine-replies");
}

Dispatcher::~Dispatcher() {
  inbox_->post([this] { stopping_ = true; });
  thread_.join();
  std::lock_guard lock(inbox_->mutex_);
  inbox_->closed_ = true;
  inbox_->jobs_.clear();
}

void Dispatcher::loop() {
  while (!stopping_) {
    server_task_result_ptr result = model_.results().recv_with_timeout(ids_, kIdleSeconds);
    if (result == nullptr) continue;
    if (result->id == wake_id_) {
      run_jobs();
    } else {
      handle(*result);
    }
  }
  fail_all(fail(ErrorCode::kCancelled, "the engine stopped"));
}

void Dispatcher::fail_all(const Error& error) {
  failing_ = true;
  while (auto next = waiting_.pop()) {
    const std::shared_ptr<ResultReceiver> receiver = next->receiver;
    drop(*receiver);
    if (!receiver->is_cancelled()) receiver->on_failure(error);
  }
  while (!receivers_.empty()) {
    std::shared_ptr<ResultReceiver> receiver = receivers_.begin()->second;
    drop(*receiver);
    if (!receiver->is_cancelled()) receiver->on_failure(error);
  }
  failing_ = false;
}

void Dispatcher::run_jobs() {
  std::vector<std::function<void()>> jobs;
  {
    std::lock_guard lock(inbox_->mutex_);
    jobs.swap(inbox_->jobs_);
    inbox_->woken_ = false;
  }
  for (const std::function<void()>& job : jobs) job();
}

void Dispatcher::submit(std::vector<server_task> tasks, const std::shared_ptr<ResultReceiver>& receiver,
                        const std::string& client) {
  for (server_task& task : tasks) {
    if (receiver->is_cancelled()) return;
    const std::size_t sequences = 1 + task.child_tasks.size();
    const double cost = std::max(cost_of(task), 1.0);
    Waiting next{std::make_shared<server_task>(std::move(task)), receiver, sequences, 0};
    std::optional<Waiting> dropped = waiting_.push(client, std::move(next), cost);
    if (!dropped) continue;
    const std::shared_ptr<ResultReceiver> unlucky = dropped->receiver;
    drop(*unlucky);
    if (!unlucky->is_cancelled())
      unlucky->on_failure(fail(ErrorCode::kBusy, "too many prompts wait for the model; try again"));
    if (unlucky == receiver) break;
  }
  start_waiting();
}

void Dispatcher::start_waiting() {
  bool kept = false;  // the free sequences are kept for a task that waits for several
  std::string client;
  const auto may_go = [&](const std::string& name, Waiting& next) {
    client = name;
    if (next.receiver->is_cancelled()) return true;
    const auto has = by_client_.find(name);
    if (kept) return false;
    if (has != by_client_.end()) {
      const std::size_t computing = has->second.prompt_tokens;
      if (computing > 0 && computing + next.task->tokens.size() > prompt_tokens_) return false;
    }
    if ((has == by_client_.end() ? 0 : has->second.sequences) + next.sequences > share_of(name)) return false;
    if (next.sequences <= free_) return true;
    kept = ++next.passed_over > kPassedOver;
    return false;
  };
  while (auto next = waiting_.pop_if(may_go)) {
    if (!next->receiver->is_cancelled()) start(client, std::move(*next));
    kept = false;
  }
}

// One sequence stays free for the next client, and a quarter of all while other clients are there. Callers of this
// machine without a token ("") are the operator, or cannot be told apart.
std::size_t Dispatcher::share_of(const std::string& client) const {
  if (client.empty() || sequences_ < 4) return sequences_;
  const bool alone = by_client_.empty() || (by_client_.size() == 1 && by_client_.contains(client));
  return alone ? sequences_ - 1 : sequences_ - sequences_ / 4;
}

void Dispatcher::start(const std::string& client, Waiting next) {
  const std::size_t prompt_tokens = next.task->tokens.size();
  std::vector<int> ids = {next.task->id};
  for (const server_task& child : next.task->child_tasks) ids.push_back(child.id);
  for (const int id : ids) {
    ids_.insert(id);
    receivers_[id] = next.receiver;
    running_[id] = {client, id == next.task->id ? prompt_tokens : 0};
    model_.results().add_waiting_task_id(id);
  }
  model_.progress().set_busy(true);
  free_ -= ids.size();
  Load& load = by_client_[client];
  load.sequences += ids.size();
  load.prompt_tokens += prompt_tokens;
  model_.tasks().post(std::move(*next.task));
}

void Dispatcher::release(int id) {
  const auto found = running_.find(id);
  if (found == running_.end()) return;
  ++free_;
  const auto client = by_client_.find(found->second.client);
  client->second.prompt_tokens -= found->second.prompt_tokens;
  if (--client->second.sequences == 0) by_client_.erase(client);
  running_.erase(found);
  if (running_.empty()) model_.progress().set_busy(false);
}

void Dispatcher::on_begun(int task) {
  const auto found = running_.find(task);
  if (found == running_.end() || found->second.prompt_tokens == 0) return;
  by_client_.at(found->second.client).prompt_tokens -= std::exchange(found->second.prompt_tokens, 0);
  start_waiting();
}

void Dispatcher::drop(ResultReceiver& receiver) {
  waiting_.erase_if([&](const Waiting& each) { return each.receiver.get() == &receiver; });
  std::vector<server_task> cancels;
  for (int id : receiver.task_ids()) {
    release(id);
    if (ids_.erase(id) == 0) continue;
    model_.results().remove_waiting_task_id(id);
    server_task cancel(SERVER_TASK_TYPE_CANCEL);
    cancel.id_target = id;
    cancels.push_back(std::move(cancel));
    receivers_.erase(id);
  }
  // Goes before everything that waits: it frees a sequence within a token. It does nothing for a task that has ended.
  if (!cancels.empty()) model_.tasks().post(std::move(cancels), /*front=*/true);
  if (!failing_) start_waiting();
}

void Dispatcher::handle(server_task_result& result) {
  model_.progress().beat();
  auto found = receivers_.find(result.id);
  if (found == receivers_.end()) return;
  std::shared_ptr<ResultReceiver> receiver = found->second;
  const bool ended = result.is_stop() || result.is_error();
  if (ended) release(result.id);
  if (receiver->is_cancelled() || receiver->on_result(result)) {
    drop(*receiver);
  } else if (ended) {
    start_waiting();
  }
}

}  // namespace cloister::engine::llama
