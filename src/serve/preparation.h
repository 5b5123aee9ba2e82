// Preparation: the threads that read and check inference requests and hand them to the engine: no work whose cost a
// client controls runs on an event loop. The clients take turns, and no client ever has all threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fair_queue.h"

namespace cloister::serve {

class Preparation {
 public:
  struct Job {
    std::function<void()> run;      // runs on one of these threads
    std::function<void()> give_up;  // runs instead when too many jobs wait, on the thread of some caller of submit()
  };

  // `threads` is at least 2: with fewer, one client's long request would delay all others.
  Preparation(std::size_t threads, std::size_t waiting_limit);
  // Finishes running jobs and drops waiting ones.
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  // Any thread. `client`: api/client_name.h.
  void submit(const std::string& client, Job job);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<Job> waiting_;
  std::map<std::string, std::size_t> running_;  // number of threads by client
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cloister::serve
