// Finds which TEE this machine has, and says why that one: for `cloister serve --tee auto`, and for people who want to
// know what is missing.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tee/tdx/guest_log.h"
#include "tee/tee.h"

namespace cloister::tee {

enum class TeeChoice { kAuto, kDstack, kTsm, kTdxGuest };

// Where to look. A path named in `socket` or `tsm_root` must exist.
struct TeeSearch {
  std::string socket;              // socket of a dstack guest agent; "" = the first of `socket_paths` that exists
  std::filesystem::path tsm_root;  // folder of configfs-tsm; "" = `default_tsm_root`
  std::vector<std::string> socket_paths = {"/var/run/dstack.sock", "/var/run/dstack/dstack.sock", "/var/run/tappd.sock",
                                           "/var/run/dstack/tappd.sock"};
  std::filesystem::path default_tsm_root = "/sys/kernel/config/tsm/report";
  std::filesystem::path tdx_device = "/dev/tdx_guest";
  GuestLogOptions log;
};

// One interface that was examined.
struct TeeInterface {
  std::string name;   // "dstack", "tsm", "tdx-guest": the value that --tee takes
  std::string where;  // path
  bool found = false;
  std::string detail;  // what was found, or why nothing was
};

// Returns the interfaces in the order of preference: the agent knows the application and holds keys; configfs-tsm is
// the kernel's own interface; the device is for kernels without configfs-tsm. Takes no quote. Any thread.
std::vector<TeeInterface> look_for_tees(const TeeSearch& search);

struct FoundTee {
  std::unique_ptr<Tee> tee;  // null: none was found (kAuto only)
  std::string reason;        // one line, for the log
};

// Opens the interface of this choice and takes a first quote. kAuto takes the first interface that is found. An
// interface that is found and does not work is an error, never a reason to try the next or to serve without: a
// confidential VM that silently became an ordinary one would be worse than one that does not start.
Result<FoundTee> find_tee(TeeChoice choice, const TeeSearch& search);

}  // namespace cloister::tee
