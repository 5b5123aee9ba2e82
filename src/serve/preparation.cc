#include "serve/preparation.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace cloister::serve {

Preparation::Preparation(std::size_t threads, std::size_t waiting_limit) : waiting_(waiting_limit) {
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 2); ++i) threads_.emplace_back([this] { run(); });
}

Preparation::~Preparation() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.erase_if([](const Job&) { return true; });
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Preparation::submit(const std::string& client, Job job) {
  std::optional<Job> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    dropped = waiting_.push(client, std::move(job));
  }
  wake_.notify_one();
  if (dropped) dropped->give_up();
}

void Preparation::run() {
  std::string client;
  const auto may_go = [&](const std::string& name, Job&) {
    const auto found = running_.find(name);
    if (found != running_.end() && found->second + 1 >= threads_.size()) return false;
    client = name;
    return true;
  };
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<Job> job;
    wake_.wait(lock, [&] { return stopping_ || (job = waiting_.pop_if(may_go)); });
    if (stopping_) return;
    const std::string owner = client;
    ++running_[owner];
    lock.unlock();
    job->run();
    job.reset();  // what the job holds is destroyed outside the lock
    lock.lock();
    const auto found = running_.find(owner);
    if (--found->second == 0) running_.erase(found);
    // Another thread may be waiting for this client to have one job fewer.
    wake_.notify_one();
  }
}

}  // namespace cloister::serve
