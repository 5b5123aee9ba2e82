// FairPool: a few threads for work that clients ask for, and whose cost a client controls. Clients take turns, no client
// ever has all threads, and neither has long work. Bounded for each client and for all; work that nobody waits for any more
// leaves the queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fair_queue.h"

namespace cloister {

class FairPool {
 public:
  struct Limits {
    std::size_t waiting = 1024;                // jobs in the queue
    std::size_t waiting_of_client = SIZE_MAX;  // jobs of one client in the queue
  };
  struct Job {
    std::function<void()> run;      // runs on one of these threads
    std::function<void()> give_up;  // runs instead when there is no room, on the thread of some caller of submit()
    bool is_long = false;           // one thread at least is kept for jobs that are not long
    double cost = 1;                // share of the turns that it takes, in any unit, above 0
  };
  // Names one job. 0 names none.
  using Ticket = std::uint64_t;

  // `threads` is at least 2: with fewer, one client's long request would delay all others.
  FairPool(std::size_t threads, const Limits& limits);
  // Finishes running jobs and drops waiting ones.
  ~FairPool();
  FairPool(const FairPool&) = delete;
  FairPool& operator=(const FairPool&) = delete;

  // Any thread. `client`: api/client_name.h.
  Ticket submit(const std::string& client, Job job);
  // Drops the job, unless it runs already or has run. Neither of its functions is called. Any thread.
  void cancel(Ticket ticket);
  // From now on long jobs give up, those that wait included, so that the others are done soon. Any thread.
  void give_up_long();
  std::size_t waiting() const;

 private:
  struct Waiting {
    Ticket ticket = 0;
    Job job;
  };
  using Queue = FairQueue<std::shared_ptr<Waiting>>;

  void run();
  bool may_run(const std::string& client, const Job& job) const;  // with the lock held

  const std::size_t most_of_client_;
  mutable std::mutex mutex_;  // guards everything below
  std::condition_variable wake_;
  Queue waiting_;
  std::map<std::string, std::size_t> running_;  // number of threads by client
  std::size_t running_long_ = 0;                // number of threads with long jobs
  Ticket last_ = 0;
  bool refuses_long_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cloister
