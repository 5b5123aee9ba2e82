#include "tee/find_tee.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "tee/dstack/dstack.h"
#include "tee/tdx_guest/tdx_guest.h"
#include "tee/tsm/tsm.h"
#include "tee/tsm/tsm_report.h"

namespace cloister::tee {
namespace {

constexpr int kProviderWaitSeconds = 5;

TeeInterface look_at_socket(const std::string& path) {
  TeeInterface out{"dstack", path, false, "not there"};
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return out;
  out.found = S_ISSOCK(status.st_mode);
  out.detail = out.found ? "a dstack guest agent's socket" : "there, and no socket";
  return out;
}

TeeInterface look_at_tsm(const std::filesystem::path& root) {
  const Result<std::string> provider = tsm_provider(root, kProviderWaitSeconds);
  if (provider) return {"tsm", root.string(), true, "the kernel's configfs-tsm, provider " + *provider};
  // An entry that cannot be created, or does not answer, still shows that the interface exists.
  return {"tsm", root.string(), provider.error().code != ErrorCode::kNoTee, provider.error().message};
}

TeeInterface look_at_device(const std::filesystem::path& device) {
  struct stat status {};
  if (::stat(device.c_str(), &status) != 0) return {"tdx-guest", device.string(), false, "not there"};
  return {"tdx-guest", device.string(), true, "the kernel's TDX guest device"};
}

std::filesystem::path tsm_root_of(const TeeSearch& search) {
  return search.tsm_root.empty() ? search.default_tsm_root : search.tsm_root;
}

// The socket to use: the first of several known paths that exists.
std::string socket_of(const TeeSearch& search) {
  if (!search.socket.empty()) return search.socket;
  for (const std::string& path : search.socket_paths) {
    if (look_at_socket(path).found) return path;
  }
  return search.socket_paths.empty() ? "" : search.socket_paths.front();
}

Result<std::unique_ptr<Tee>> open(std::string_view name, const TeeSearch& search) {
  if (name == "dstack") {
    DstackOptions options;
    options.socket = socket_of(search);
    options.native = search.log.runtime;
    return make_dstack(std::move(options));
  }
  if (name == "tsm") {
    TsmOptions options;
    options.root = tsm_root_of(search);
    options.log = search.log;
    return make_tsm(std::move(options));
  }
  TdxGuestOptions options;
  options.device = search.tdx_device;
  options.log = search.log;
  return make_tdx_guest(std::move(options));
}

Result<FoundTee> open_because(const std::string& name, const std::string& reason, const TeeSearch& search) {
  auto tee = open(name, search);
  if (!tee) {
    return fail(tee.error().code, "--tee " + name + " (" + reason + "): " + tee.error().message, tee.error().param);
  }
  return FoundTee{*std::move(tee), "--tee " + name + ": " + reason};
}

}  // namespace

std::vector<TeeInterface> look_for_tees(const TeeSearch& search) {
  std::vector<TeeInterface> out;
  if (!search.socket.empty()) {
    out.push_back(look_at_socket(search.socket));
  } else {
    for (const std::string& path : search.socket_paths) out.push_back(look_at_socket(path));
  }
  out.push_back(look_at_tsm(tsm_root_of(search)));
  out.push_back(look_at_device(search.tdx_device));
  return out;
}

Result<FoundTee> find_tee(TeeChoice choice, const TeeSearch& search) {
  switch (choice) {
    case TeeChoice::kDstack: return open_because("dstack", "asked for", search);
    case TeeChoice::kTsm: return open_because("tsm", "asked for", search);
    case TeeChoice::kTdxGuest: return open_because("tdx-guest", "asked for", search);
    case TeeChoice::kAuto: break;
  }
  if (!search.socket.empty()) return open_because("dstack", "its socket was named", search);
  if (!search.tsm_root.empty()) return open_because("tsm", "its folder was named", search);
  std::string looked_at;
  for (const TeeInterface& interface : look_for_tees(search)) {
    if (interface.found) return open_because(interface.name, interface.where + " is " + interface.detail, search);
    looked_at += (looked_at.empty() ? "" : ", ") + interface.where;
  }
  return FoundTee{nullptr, "none of " + looked_at + " leads to a TEE"};
}

}  // namespace cloister::tee
