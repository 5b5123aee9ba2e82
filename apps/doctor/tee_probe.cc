#include "apps/doctor/tee_probe.h"

#include "tee/dstack/agent_client.h"

namespace cloister::apps {
namespace {

// An agent takes a quote to say what it is.
constexpr tee::AgentTimeouts kPatience = {.quote_s = 5, .call_s = 3};

// Compares whole words of the first `flags` line.
bool has_flag(const std::string& cpuinfo, const std::string& flag) {
  const std::size_t line = cpuinfo.find("\nflags");
  if (line == std::string::npos) return false;
  const std::string flags = cpuinfo.substr(line + 1, cpuinfo.find('\n', line + 1) - line - 1) + " ";
  return flags.find(" " + flag + " ") != std::string::npos;
}

Finding probe_cpu(const Roots& roots) {
  const auto cpuinfo = read_text(roots.proc / "cpuinfo");
  if (!cpuinfo) return unknown("tee.cpu", "cpuinfo cannot be read", "run the doctor where /proc is mounted");
  const std::string text = "\n" + *cpuinfo;
  if (has_flag(text, "tdx_guest")) return good("tee.cpu", "the kernel runs as an Intel TDX guest");
  if (has_flag(text, "sev_snp")) return good("tee.cpu", "the kernel runs as an AMD SEV-SNP guest");
  if (is_there(roots.dev / "tdx_guest")) return good("tee.cpu", "the kernel has a TDX guest device");
  if (is_there(roots.dev / "sev-guest")) return good("tee.cpu", "the kernel has an SEV guest device");
  return problem(
      "tee.cpu", "this is no confidential VM: neither tdx_guest nor sev_snp among the CPU's flags",
      "start this system as a TDX or SEV-SNP guest; without one, --tee insecure-simulator shows everything but proves nothing");
}

struct Interface {
  std::filesystem::path path;
  const char* name;
};

// The interfaces in the order in which a node prefers them. tee::look_for_tees() is not used, since it makes an entry
// in configfs-tsm in order to look, and a doctor changes nothing.
std::vector<Interface> interfaces(const Roots& roots) {
  return {{roots.run / "dstack.sock", "the dstack guest agent"},
          {roots.run / "dstack/dstack.sock", "the dstack guest agent"},
          {roots.run / "tappd.sock", "the dstack guest agent of older images"},
          {roots.run / "dstack/tappd.sock", "the dstack guest agent of older images"},
          {roots.sys / "kernel/config/tsm/report", "configfs-tsm"},
          {roots.dev / "tdx_guest", "the TDX guest device"},
          {roots.dev / "sev-guest", "the SEV guest device"}};
}

Finding probe_interface(const Roots& roots) {
  std::string locked;
  for (const Interface& each : interfaces(roots)) {
    if (!is_there(each.path)) continue;
    if (usable(each.path)) return good("tee.interface", std::string(each.name) + " at " + each.path.string());
    locked += (locked.empty() ? "" : ", ") + each.path.string();
  }
  if (!locked.empty()) {
    return problem("tee.interface", "there is a source of quotes, but this user may not use it: " + locked,
                   "run as root, or give this user access to it");
  }
  return problem(
      "tee.interface", "no source of quotes: no dstack socket, no configfs-tsm, no guest device",
      "in a confidential VM: mount the agent's socket into the container (/var/run/dstack.sock), or mount configfs "
      "(mount -t configfs none /sys/kernel/config) and load tdx_guest or sev_guest");
}

Finding no_agent(const std::filesystem::path& path, const Error& error) {
  const std::string who = "the guest agent at " + path.string();
  if (error.code == ErrorCode::kNoTee || error.code == ErrorCode::kTimeout) {
    return problem("dstack.version", who + " does not answer: " + error.message,
                   "look at the agent's log on the host of the container");
  }
  return problem("dstack.version", who + " gives no answer that a node can use: " + error.message,
                 "see that the socket is the guest agent's, and look at its log on the host of the container");
}

Finding probe_agent(const std::filesystem::path& path) {
  const auto agent = tee::AgentClient::connect(path.string(), kPatience);
  if (!agent) return no_agent(path, agent.error());
  const std::string who = agent->generation() == tee::AgentGeneration::kTappd
                              ? "dstack guest agent of the older protocol"
                              : "dstack guest agent";
  const auto version = agent->version();
  if (version) return good("dstack.version", who + " " + *version);
  return advice(unknown("dstack.version", "the " + who + " answers but does not tell its version",
                        "older agents do not tell it; only the version in this list is missing"));
}

}  // namespace

Findings probe_tee(const Roots& roots) {
  Findings out = {probe_cpu(roots), probe_interface(roots)};
  for (const Interface& each : interfaces(roots)) {
    if (each.path.extension() != ".sock" || !is_there(each.path)) continue;
    out.push_back(probe_agent(each.path));
    break;
  }
  return out;
}

}  // namespace cloister::apps
