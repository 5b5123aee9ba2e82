#include "apps/doctor/disk_probe.h"

#include <sstream>
#include <vector>

namespace cloister::apps {
namespace {

constexpr int kDeepestStack = 8;

// True when the block device in this /sys folder is dm-crypt, or is built on such devices only. LUKS, plain and
// integrity-protected volumes have a UUID that begins with CRYPT-.
bool is_encrypted(const std::filesystem::path& device, int depth = 0) {
  if (read_text(device / "dm/uuid").value_or("").starts_with("CRYPT-")) return true;
  if (depth == kDeepestStack) return false;
  // A partition's disk is not its slave; combined volumes name theirs.
  std::error_code error;
  bool any = false;
  for (std::filesystem::directory_iterator it(device / "slaves", error), end; !error && it != end;
       it.increment(error)) {
    any = true;
    if (!is_encrypted(it->path(), depth + 1)) return false;
  }
  return any;
}

struct Mount {
  std::string device;  // "254:0"
  std::string point, type, source;
};

// /proc/self/mountinfo: id parent major:minor root point options [tags] - type source options.
std::vector<Mount> read_mounts(const Roots& roots) {
  std::vector<Mount> out;
  std::istringstream lines(read_text(roots.proc / "self/mountinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    Mount mount;
    std::string ignored;
    std::istringstream front(line), back(line.substr(dash + 3));
    front >> ignored >> ignored >> mount.device >> ignored >> mount.point;
    back >> mount.type >> mount.source;
    out.push_back(std::move(mount));
  }
  return out;
}

bool is_below(const std::string& path, const std::string& point) {
  return point == "/" || path == point || (path.starts_with(point) && path[point.size()] == '/');
}

// Among the mounts with the longest point above `path`, the last one is visible.
const Mount* mount_of(const std::vector<Mount>& mounts, const std::string& path) {
  const Mount* found = nullptr;
  for (const Mount& mount : mounts) {
    if (is_below(path, mount.point) && (found == nullptr || mount.point.size() >= found->point.size())) found = &mount;
  }
  return found;
}

}  // namespace

Finding probe_swap(const Roots& roots) {
  const char* id = "memory.swap";
  const auto swaps = read_text(roots.proc / "swaps");
  if (!swaps) return unknown(id, "the list of swap spaces cannot be read", "run the doctor where /proc is mounted");
  std::istringstream lines(*swaps);
  std::string line;
  std::getline(lines, line);  // the header line of the table
  std::string kept;
  while (std::getline(lines, line)) {
    const std::string path = line.substr(0, line.find_first_of(" \t"));
    const std::string name = std::filesystem::path(path).filename().string();
    const bool in_memory = name.starts_with("zram");
    if (in_memory || is_encrypted(roots.sys / "class/block" / name)) {
      kept += (kept.empty() ? "" : ", ") + path;
      continue;
    }
    return problem(
        id, "memory is swapped to " + path + ", which is not encrypted: prompts and keys can reach the host's disk",
        "swapoff " + path + ", or put it on dm-crypt with a random key");
  }
  return good(id, kept.empty() ? "none" : "encrypted or in memory: " + kept);
}

Finding probe_disk(const Roots& roots, const std::filesystem::path& folder) {
  const char* id = "disk.state";
  const std::string where = std::filesystem::absolute(folder).lexically_normal().string();
  const std::vector<Mount> mounts = read_mounts(roots);
  const Mount* mount = mount_of(mounts, where);
  const char* todo =
      "put the state folder (--state) on a LUKS volume whose key is made or released in the TEE, or on a tmpfs if "
      "nothing has to survive a restart";
  if (mount == nullptr) return unknown(id, "the mounts of this system cannot be read", todo);
  const std::string at = where + " lies on " + mount->source + " (" + mount->type + ")";
  if (mount->type == "tmpfs" || mount->type == "ramfs") return good(id, at + ": in memory, and gone after a restart");
  if (mount->device.starts_with("0:")) {
    return unknown(id, at + ": whether that is encrypted cannot be seen from here", todo);
  }
  if (is_encrypted(roots.sys / "dev/block" / mount->device)) return good(id, at + ", which is encrypted");
  return problem(id, at + ", which is not encrypted", todo);
}

}  // namespace cloister::apps
