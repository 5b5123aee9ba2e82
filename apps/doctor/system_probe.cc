#include "apps/doctor/system_probe.h"

#include <sys/random.h>
#include <sys/timex.h>

#include <cstdlib>
#include <sstream>

#include "apps/doctor/disk_probe.h"
#include "base/clock.h"

namespace cloister::apps {
namespace {

// The earliest time is before this program was written, the latest is after it will be forgotten.
constexpr UnixSeconds kEarliest = 1767225600;  // 2026-01-01
constexpr UnixSeconds kLatest = 4102444800;    // 2100-01-01
constexpr std::uint64_t kLockedBytes = 8u << 20;

// The soft limit in a line of /proc/self/limits; absent when there is no such line.
std::optional<std::string> limit_of(const Roots& roots, const std::string& name) {
  std::istringstream lines(read_text(roots.proc / "self/limits").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream words(line.substr(name.size()));
    std::string soft;
    words >> soft;
    return soft;
  }
  return std::nullopt;
}

Finding probe_core_dumps(const Roots& roots) {
  const auto pattern = read_text(roots.proc / "sys/kernel/core_pattern");
  const char* id = "memory.core_dumps";
  const char* todo = "sysctl -w kernel.core_pattern=core; and a limit of 0 for the serving process (LimitCORE=0)";
  if (!pattern) return advice(unknown(id, "kernel.core_pattern cannot be read", todo));
  const bool piped = pattern->starts_with('|') && *pattern != "|/bin/false" && *pattern != "|/bin/true";
  if (piped) {
    // cloister serve forbids dumps of itself; an engine next to it holds prompts as well.
    return advice(problem(id, "dumps of crashed programs go to " + pattern->substr(1, 128), todo));
  }
  const auto limit = limit_of(roots, "Max core file size");
  if (!limit) return advice(unknown(id, "the limits of this process cannot be read", todo));
  if (*limit == "0") return advice(good(id, "off"));
  return advice(problem(id, "crashed programs may write their memory to disk (limit: " + *limit + ")", todo));
}

Finding probe_lock(const Roots& roots) {
  const char* id = "memory.lock";
  const char* todo = "LimitMEMLOCK=infinity in the unit, or ulimit -l";
  const auto limit = limit_of(roots, "Max locked memory");
  if (!limit) return advice(unknown(id, "the limits of this process cannot be read", todo));
  const bool enough = *limit == "unlimited" || std::strtoull(limit->c_str(), nullptr, 10) >= kLockedBytes;
  return advice(
      enough ? good(id, *limit + (*limit == "unlimited" ? "" : " bytes may be locked"))
             : problem(id, "only " + *limit + " bytes may be locked: a model file cannot be kept in memory", todo));
}

}  // namespace

Findings probe_clock() {
  const UnixSeconds now = system_clock().now();
  Findings out;
  if (now < kEarliest || now > kLatest) {
    out.push_back(problem("clock.sane", "the clock says " + to_rfc3339(now),
                          "set the clock: the validity of certificates depends on it"));
  } else {
    out.push_back(good("clock.sane", to_rfc3339(now)));
  }
  timex state{};
  const int result = ::adjtimex(&state);
  const char* todo =
      "run a time service (chrony, systemd-timesyncd): the validity of evidence depends on the clock, and an operator who sets it "
      "back makes old collateral look valid";
  if (result < 0) {
    out.push_back(unknown("clock.synchronised", "the kernel does not tell", todo));
  } else if (result == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
    out.push_back(problem("clock.synchronised", "the clock is not synchronised", todo));
  } else {
    out.push_back(good("clock.synchronised", "within " + std::to_string(state.maxerror / 1000) + " ms"));
  }
  return out;
}

Findings probe_entropy(const Roots& roots) {
  Findings out;
  unsigned char byte = 0;
  if (::getrandom(&byte, 1, GRND_NONBLOCK) == 1) {
    out.push_back(good("entropy.pool", "initialised"));
  } else {
    out.push_back(problem("entropy.pool", "the kernel has no randomness yet", "wait, or give the VM a random device"));
  }
  // Keys are made from it, and the host provides every other source.
  const std::string flags = read_text(roots.proc / "cpuinfo").value_or("") + " ";
  if (flags.find(" rdrand ") != std::string::npos || flags.find(" rdseed ") != std::string::npos) {
    out.push_back(good("entropy.cpu", "the CPU gives randomness that the host does not"));
  } else if (flags.find("flags") != std::string::npos) {
    out.push_back(
        problem("entropy.cpu", "the CPU has neither rdrand nor rdseed", "give the VM a CPU model that has them"));
  } else {
    out.push_back(advice(
        unknown("entropy.cpu", "the CPU's flags are not shown", "check whether the CPU has rdrand or an equivalent")));
  }
  return out;
}

Findings probe_memory(const Roots& roots) { return {probe_swap(roots), probe_core_dumps(roots), probe_lock(roots)}; }

}  // namespace cloister::apps
