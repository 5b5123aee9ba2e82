#include "apps/doctor/tee_probe.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/file_descriptor.h"
#include "codec/json.h"

namespace cloister::apps {
namespace {

constexpr int kAgentPatienceSeconds = 3;
constexpr std::size_t kAgentReplyLimit = 64 << 10;

// Whole words of the first `flags` line.
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
  return problem("tee.cpu", "this is no confidential VM: neither tdx_guest nor sev_snp among the CPU's flags",
                 "start this system as a TDX or SEV-SNP guest; without one, --tee insecure-simulator shows everything but proves nothing");
}

struct Interface {
  std::filesystem::path path;
  const char* name;
};

// In the order in which a node prefers them.
std::vector<Interface> interfaces(const Roots& roots) {
  return {{roots.run / "dstack.sock", "the dstack guest agent"},
          {roots.run / "dstack/dstack.sock", "the dstack guest agent"},
          {roots.run / "tappd.sock", "the dstack guest agent of older images"},
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
    return problem("tee.interface", "there is a way to quotes, but not for this user: " + locked,
                   "run as root, or give this user access to it");
  }
  return problem("tee.interface", "no way to quotes: no dstack socket, no configfs-tsm, no guest device",
                 "in a confidential VM: mount the agent's socket into the container (/var/run/dstack.sock), or mount configfs "
                 "(mount -t configfs none /sys/kernel/config) and load tdx_guest or sev_guest");
}

// The agent's answer, head and body; "" when there was none in time.
std::string ask_agent(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) return "";
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{kAgentPatienceSeconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return "";
  constexpr std::string_view kRequest =
      "POST /Version HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Connection: close\r\n\r\n{}";
  if (::send(socket.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kRequest.size())) return "";
  std::string reply;
  char chunk[4096];
  ssize_t n = 0;
  while (reply.size() < kAgentReplyLimit && (n = ::recv(socket.get(), chunk, sizeof chunk, 0)) > 0) {
    reply.append(chunk, static_cast<std::size_t>(n));
  }
  return reply;
}

// What an agent wrote, fit for a terminal.
std::string printable(std::string text) {
  for (char& c : text) c = c >= ' ' && c <= '~' ? c : '?';
  return text.substr(0, 64);
}

// The agent's `version`, wherever framing put the object.
std::string version_in(const std::string& reply) {
  const std::size_t body = reply.find("\r\n\r\n");
  const std::size_t open = body == std::string::npos ? body : reply.find('{', body);
  const std::size_t close = reply.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return "";
  const Result<Json> json = codec::parse_json(std::string_view(reply).substr(open, close - open + 1));
  if (!json) return "";
  const Result<std::string> version = codec::string_member(*json, "version");
  return version ? printable(*version) : "";
}

Finding probe_agent(const std::filesystem::path& path) {
  const std::string reply = ask_agent(path);
  if (reply.empty()) {
    return problem("dstack.version", "the guest agent at " + path.string() + " does not answer",
                   "look at the agent's log on the host of the container");
  }
  const std::string version = version_in(reply);
  if (!version.empty()) return good("dstack.version", "dstack guest agent " + version);
  return advice(unknown("dstack.version", "the guest agent answers and does not tell its version",
                        "older agents do not; nothing is lost but the version in this list"));
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
