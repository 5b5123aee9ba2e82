#include "load/server_meter.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace cloister::bench {
namespace {

Result<std::string> read_proc(int pid, const char* name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + name;
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) return fail(ErrorCode::kIo, "cannot read " + path + ": is the process still there?");
  return text.str();
}

double status_number(const std::string& status, std::string_view name) {
  const std::size_t at = status.find(name);
  if (at == std::string::npos) return 0;
  std::string_view rest = std::string_view(status).substr(at + name.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  double value = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), value);
  return value;
}

Result<double> cpu_clock_s(int pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    return fail(ErrorCode::kIo, "no CPU clock for process " + std::to_string(pid));
  }
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// utime and stime are fields 14 and 15. The name in field 2 may hold blanks, so the fields are counted from its closing
// bracket (proc(5)).
void add_ticks(const std::string& stat, ServerReading& sum) {
  const auto tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  sum.user_s += user / tick;
  sum.system_s += system / tick;
}

// A thread that ends meanwhile is left out. The first number of schedstat is the nanoseconds on a CPU (proc(5)).
void add_threads(int pid, ServerReading& sum) {
  std::error_code error;
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(folder, error)) {
    std::ifstream name_file(task.path() / "comm");
    std::ifstream time_file(task.path() / "schedstat");
    std::string name;
    double ns = 0;
    if (std::getline(name_file, name) && time_file >> ns) sum.thread_cpu_s[name] += 1e-9 * ns;
  }
}

double rounded(double value, double steps_per_unit) { return std::round(value * steps_per_unit) / steps_per_unit; }

}  // namespace

Result<ServerReading> ServerMeter::read(bool with_threads) const {
  ServerReading sum;
  for (const int pid : pids_) {
    TRY(cpu, cpu_clock_s(pid));
    TRY(stat, read_proc(pid, "stat"));
    TRY(status, read_proc(pid, "status"));
    sum.cpu_s += cpu;
    add_ticks(stat, sum);
    if (with_threads) add_threads(pid, sum);
    sum.rss_kb += status_number(status, "VmRSS:");
    sum.rss_anon_kb += status_number(status, "RssAnon:");
    sum.threads += static_cast<int>(status_number(status, "Threads:"));
  }
  return sum;
}

Result<void> ServerWatch::begin() {
  TRY(reading, meter_.read(true));
  first_ = peak_ = reading;
  return {};
}

Result<void> ServerWatch::sample() {
  TRY(now, meter_.read(false));
  peak_.rss_kb = std::max(peak_.rss_kb, now.rss_kb);
  peak_.rss_anon_kb = std::max(peak_.rss_anon_kb, now.rss_anon_kb);
  peak_.threads = std::max(peak_.threads, now.threads);
  return {};
}

Result<Json> ServerWatch::end(double units) {
  if (meter_.empty()) return Json(nullptr);
  TRY_VOID(sample());
  TRY(last, meter_.read(true));
  const double cpu_s = last.cpu_s - first_.cpu_s;
  Json out;
  out["cpu_s"] = rounded(cpu_s, 1e6);
  out["cpu_us_per_unit"] = units > 0 ? rounded(1e6 * cpu_s / units, 1e3) : 0;
  out["user_s"] = rounded(last.user_s - first_.user_s, 1e2);
  out["system_s"] = rounded(last.system_s - first_.system_s, 1e2);
  out["rss_before_kb"] = first_.rss_kb;
  out["rss_peak_kb"] = peak_.rss_kb;
  out["anon_before_kb"] = first_.rss_anon_kb;
  out["anon_peak_kb"] = peak_.rss_anon_kb;
  out["threads_before"] = first_.threads;
  out["threads_peak"] = peak_.threads;
  for (const auto& [name, seconds] : last.thread_cpu_s) {
    const auto before = first_.thread_cpu_s.find(name);
    const double spent = seconds - (before == first_.thread_cpu_s.end() ? 0 : before->second);
    out["thread_cpu_s"][name] = rounded(spent, 1e6);
  }
  return out;
}

}  // namespace cloister::bench
