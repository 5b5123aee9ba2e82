// Reads CPU time and memory of the processes under load from /proc. Any thread may call it; its only state is the list
// of processes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace cloister::bench {

struct ServerReading {
  double cpu_s = 0;        // the processes' CPU clocks: nanosecond steps, including ended threads
  double user_s = 0;       // utime of /proc/PID/stat, in clock ticks
  double system_s = 0;     // stime
  double rss_kb = 0;       // VmRSS
  double rss_anon_kb = 0;  // RssAnon
  int threads = 0;
  std::map<std::string, double> thread_cpu_s;  // by thread name, without ended threads
};

class ServerMeter {
 public:
  explicit ServerMeter(std::vector<int> pids) : pids_(std::move(pids)) {}
  bool empty() const { return pids_.empty(); }
  // Returns sums over all processes. An error names the process that is gone. Reading threads costs a few files for
  // each thread.
  Result<ServerReading> read(bool with_threads) const;

 private:
  std::vector<int> pids_;
};

// Keeps the first reading and the largest memory seen after it.
class ServerWatch {
 public:
  explicit ServerWatch(std::vector<int> pids) : meter_(std::move(pids)) {}
  Result<void> begin();
  Result<void> sample();
  // Ends the measured window; the CPU time is divided by `units` (replies, events).
  Result<Json> end(double units);

 private:
  ServerMeter meter_;
  ServerReading first_;
  ServerReading peak_;
};

}  // namespace cloister::bench
