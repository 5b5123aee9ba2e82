#include "gpu/device_thread.h"

#include <thread>
#include <utility>

namespace cloister::gpu {
namespace {

constexpr auto kEndLimit = std::chrono::seconds(2);

}  // namespace

DeviceThread::DeviceThread(std::string name, std::size_t queue_limit, std::chrono::milliseconds deadline)
    : name_(std::move(name)), queue_limit_(queue_limit), deadline_(deadline) {
  // The thread is detached, so that a call which never returns cannot keep the process from ending; the state outlives it.
  std::thread([state = state_] { loop(state); }).detach();
}

DeviceThread::~DeviceThread() {
  std::deque<std::shared_ptr<Job>> dropped;
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->jobs);
  }
  state_->wake.notify_all();
  for (const std::shared_ptr<Job>& job : dropped) job->drop();
  std::unique_lock lock(state_->mutex);
  state_->ended.wait_for(lock, kEndLimit, [this] { return state_->done; });
}

Result<std::shared_ptr<DeviceThread::Job>> DeviceThread::submit(std::function<void()> run, std::function<void()> drop) {
  auto job = std::make_shared<Job>();
  job->run = std::move(run);
  job->drop = std::move(drop);
  {
    std::lock_guard lock(state_->mutex);
    if (state_->jobs.size() >= queue_limit_) {
      return fail(ErrorCode::kBusy, "too many callers wait for " + name_ + "; try again");
    }
    state_->jobs.push_back(job);
  }
  state_->wake.notify_one();
  return job;
}

void DeviceThread::abandon(Job& job) {
  std::lock_guard lock(state_->mutex);
  job.abandoned = true;
  std::erase_if(state_->jobs, [&job](const std::shared_ptr<Job>& waiting) { return waiting.get() == &job; });
}

Error DeviceThread::late() const {
  return fail(ErrorCode::kGpuFailed, name_ + " did not answer within " + std::to_string(deadline_.count()) + " ms");
}

void DeviceThread::loop(const std::shared_ptr<State>& state) {
  std::unique_lock lock(state->mutex);
  while (true) {
    state->wake.wait(lock, [&] { return state->stopping || !state->jobs.empty(); });
    if (state->stopping) break;
    std::shared_ptr<Job> job = std::move(state->jobs.front());
    state->jobs.pop_front();
    if (job->abandoned) continue;
    lock.unlock();
    job->run();
    job.reset();
    lock.lock();
  }
  state->done = true;
  // Notify before the lock is released: the owner may be destroyed right after.
  state->ended.notify_all();
}

}  // namespace cloister::gpu
