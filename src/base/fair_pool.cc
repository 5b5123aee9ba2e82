#include "base/fair_pool.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace cloister {

FairPool::FairPool(std::size_t threads, const Limits& limits)
    : most_of_client_(limits.waiting_of_client), waiting_(limits.waiting) {
  const std::lock_guard lock(mutex_);  // the threads read how many they are
  for (std::size_t i = 0; i < std::max<std::size_t>(threads, 2); ++i) threads_.emplace_back([this] { run(); });
}

FairPool::~FairPool() {
  std::vector<std::shared_ptr<Waiting>> dropped;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    while (auto each = waiting_.pop()) dropped.push_back(std::move(*each));
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

FairPool::Ticket FairPool::submit(const std::string& client, Job job) {
  auto waiting = std::make_shared<Waiting>();
  waiting->job = std::move(job);
  std::optional<std::shared_ptr<Waiting>> dropped;
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return 0;
    ticket = waiting->ticket = ++last_;
    const bool refused = (refuses_long_ && waiting->job.is_long) || waiting_.size_of(client) >= most_of_client_;
    if (refused) {
      dropped = std::move(waiting);
    } else {
      const double cost = waiting->job.cost;
      dropped = waiting_.push(client, std::move(waiting), cost);
    }
  }
  wake_.notify_one();
  if (dropped) (*dropped)->job.give_up();
  return ticket;
}

void FairPool::cancel(Ticket ticket) {
  std::shared_ptr<Waiting> dropped;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase_if([&](const std::shared_ptr<Waiting>& each) {
      if (each->ticket != ticket) return false;
      dropped = each;
      return true;
    });
  }
  // The job may have held back another of its client.
  if (dropped) wake_.notify_one();
}

void FairPool::give_up_long() {
  std::vector<std::shared_ptr<Waiting>> dropped;
  {
    const std::lock_guard lock(mutex_);
    refuses_long_ = true;
    waiting_.erase_if([&](const std::shared_ptr<Waiting>& each) {
      if (each->job.is_long) dropped.push_back(each);
      return each->job.is_long;
    });
  }
  wake_.notify_all();
  for (const std::shared_ptr<Waiting>& each : dropped) each->job.give_up();
}

std::size_t FairPool::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

bool FairPool::may_run(const std::string& client, const Job& job) const {
  if (job.is_long && running_long_ + 1 >= threads_.size()) return false;
  const auto found = running_.find(client);
  return found == running_.end() || found->second + 1 < threads_.size();
}

void FairPool::run() {
  std::string next;
  const auto may_go = [&](const std::string& client, const std::shared_ptr<Waiting>& waiting) {
    next = client;
    return may_run(client, waiting->job);
  };
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<std::shared_ptr<Waiting>> taken;
    wake_.wait(lock, [&] { return stopping_ || (taken = waiting_.pop_if(may_go)); });
    if (stopping_) return;
    const std::string client = next;
    const bool is_long = (*taken)->job.is_long;
    ++running_[client];
    if (is_long) ++running_long_;
    lock.unlock();
    (*taken)->job.run();
    taken.reset();  // what the job holds is destroyed outside the lock
    lock.lock();
    const auto found = running_.find(client);
    if (--found->second == 0) running_.erase(found);
    if (is_long) --running_long_;
    // Another thread may be waiting for this client to have one job fewer, or for a long job to end.
    wake_.notify_one();
  }
}

}  // namespace cloister
