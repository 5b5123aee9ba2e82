// Preparation: the threads on which inference requests are read, checked and handed to the engine: nothing whose cost a
// client sets happens on an event loop. The clients take turns, and one client never has all threads.
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
    std::function<void()> run;      // on a thread of this
    std::function<void()> give_up;  // in its place, when too much waits; on the thread of some caller of submit()
  };

  // `threads` is at least 2: with fewer, one client's long request would hold up all others.
  Preparation(std::size_t threads, std::size_t waiting_limit);
  // Finishes what runs, drops what waits.
  ~Preparation();
  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  // Any thread. `client`: serve/client_name.h.
  void submit(const std::string& client, Job job);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<Job> waiting_;
  std::map<std::string, std::size_t> running_;  // threads by client
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cloister::serve
