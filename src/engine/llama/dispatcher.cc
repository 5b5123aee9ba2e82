#include "engine/llama/dispatcher.h"

#include <pthread.h>

namespace cloister::engine::llama {
namespace {

// Idle, the thread looks around this often; work wakes it at once.
constexpr int kIdleSeconds = 60;

// Travels through the queue of results to wake the thread that waits there.
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
      ids_{wake_id_} {
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
  while (!receivers_.empty()) {
    std::shared_ptr<ResultReceiver> receiver = receivers_.begin()->second;
    drop(*receiver);
    if (!receiver->is_cancelled()) receiver->on_failure(error);
  }
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

void Dispatcher::submit(std::vector<server_task> tasks, const std::shared_ptr<ResultReceiver>& receiver) {
  if (receiver->is_cancelled()) return;
  for (int id : receiver->task_ids()) {
    ids_.insert(id);
    receivers_[id] = receiver;
    model_.results().add_waiting_task_id(id);
  }
  model_.tasks().post(std::move(tasks));
}

void Dispatcher::drop(ResultReceiver& receiver) {
  std::vector<server_task> cancels;
  for (int id : receiver.task_ids()) {
    if (ids_.erase(id) == 0) continue;
    model_.results().remove_waiting_task_id(id);
    server_task cancel(SERVER_TASK_TYPE_CANCEL);
    cancel.id_target = id;
    cancels.push_back(std::move(cancel));
    receivers_.erase(id);
  }
  // Before all that waits: it frees a sequence within a token. For a task that has ended it does nothing.
  if (!cancels.empty()) model_.tasks().post(std::move(cancels), /*front=*/true);
}

void Dispatcher::handle(server_task_result& result) {
  auto found = receivers_.find(result.id);
  if (found == receivers_.end()) return;
  std::shared_ptr<ResultReceiver> receiver = found->second;
  if (receiver->is_cancelled() || receiver->on_result(result)) drop(*receiver);
}

}  // namespace cloister::engine::llama
