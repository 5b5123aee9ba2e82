// WeightWatch: checks every few seconds that the files of a measured model are still the measured ones. A model that
// computes from pages of a file would compute with anything that somebody writes into it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "engine/weights/weight_files.h"

namespace cloister::engine {

class WeightWatch {
 public:
  // Calls `on_change` once, on a thread of its own, with what has changed, and ends then.
  WeightWatch(std::shared_ptr<const WeightFiles> files, std::chrono::milliseconds interval,
              std::function<void(const Error&)> on_change);
  ~WeightWatch();
  WeightWatch(const WeightWatch&) = delete;
  WeightWatch& operator=(const WeightWatch&) = delete;

 private:
  void run();

  const std::shared_ptr<const WeightFiles> files_;
  const std::chrono::milliseconds interval_;
  const std::function<void(const Error&)> on_change_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::engine
