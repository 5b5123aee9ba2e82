#include "tee/tdx/runtime_register.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/encoding.h"
#include "base/file.h"
#include "codec/json.h"
#include "tee/attribute_file.h"
#include "tee/runtime_event.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kMostLog = 4u << 20;
constexpr auto kRegisterWait = std::chrono::seconds(2);

using Register = ByteArray<48>;

struct Entry {
  Register before{};  // the register's value before this extension
  evidence::Event event;
  Register after() const { return evidence::extend(before, event.digest); }
};

Error log_error(const std::filesystem::path& path, const std::string& what) {
  return fail(ErrorCode::kTeeFailed, "event log " + path.string() + ": " + what, path.string());
}

// The log, open and locked against other processes as long as this object lives.
class LockedLog {
 public:
  static Result<LockedLog> open(const std::filesystem::path& path, bool create) {
    const int fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    if (fd < 0) {
      if (errno == ENOENT && !create) return LockedLog(-1);
      return log_error(path, std::string("cannot open: ") + strerror(errno));
    }
    LockedLog log(fd);
    while (::flock(fd, LOCK_EX) != 0) {
      if (errno != EINTR) return log_error(path, std::string("cannot lock: ") + strerror(errno));
    }
    return log;
  }
  LockedLog(LockedLog&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~LockedLog() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool exists() const { return fd_ >= 0; }

  Result<void> append(const std::filesystem::path& path, const std::string& line) {
    if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()) || ::fdatasync(fd_) != 0) {
      return log_error(path, std::string("cannot write: ") + strerror(errno));
    }
    return {};
  }
  Result<void> cut(const std::filesystem::path& path, std::size_t size) {
    if (::ftruncate(fd_, static_cast<off_t>(size)) == 0) return {};
    return log_error(path, std::string("cannot cut: ") + strerror(errno));
  }

 private:
  explicit LockedLog(int fd) : fd_(fd) {}
  int fd_;
};

std::string line_of(const Entry& entry) {
  return codec::write_json(Json{{"before", to_hex(entry.before)},
                                {"event", entry.event.name},
                                {"event_payload", to_hex(entry.event.payload)}}) +
         "\n";
}

Result<Entry> parse_line(std::string_view line) {
  TRY(object, codec::parse_json(line, {1u << 20, 2, 8}));
  TRY(before, codec::string_member(object, "before"));
  TRY(name, codec::string_member(object, "event"));
  TRY(payload_hex, codec::string_member(object, "event_payload"));
  Entry entry;
  TRY(value, from_hex_exactly<48>(before));
  TRY(payload, from_hex(payload_hex));
  TRY_VOID(check_event(name, payload));
  entry.before = value;
  entry.event = evidence::runtime_event(name, payload);
  return entry;
}

// The content of the log, and how many bytes of it are complete. A crash cut a last line without its end, before any extension.
struct Log {
  std::vector<Entry> entries;
  std::size_t size = 0;        // of the complete lines
  std::size_t last_start = 0;  // of the last entry
};
Result<Log> parse_log(const std::filesystem::path& path) {
  TRY(text, read_file(path, kMostLog));
  Log log;
  while (true) {
    const std::size_t end = text.find('\n', log.size);
    if (end == std::string::npos) return log;
    Result<Entry> entry = parse_line(std::string_view(text).substr(log.size, end - log.size));
    if (!entry) {
      return log_error(path, "line " + std::to_string(log.entries.size() + 1) + ": " + entry.error().message);
    }
    log.entries.push_back(*std::move(entry));
    log.last_start = log.size;
    log.size = end + 1;
  }
}

Result<Register> read_register(const std::filesystem::path& path) {
  TRY(text, read_attribute(path, 4096, std::chrono::steady_clock::now() + kRegisterWait));
  Register value;
  if (text.size() != value.size()) {
    return fail(ErrorCode::kTeeFailed, path.string() + ": expected 48 bytes, found " + std::to_string(text.size()));
  }
  const ByteView bytes = as_bytes(text);
  std::copy(bytes.begin(), bytes.end(), value.begin());
  return value;
}

// Drops a last entry that was written but never extended.
void drop_unextended(Log& log, const Register& now) {
  if (log.entries.empty() || log.entries.back().before != now || log.entries.back().after() == now) return;
  log.entries.pop_back();
  log.size = log.last_start;
}

}  // namespace

bool RuntimeRegister::available() const { return ::access(options_.register_file.c_str(), W_OK) == 0; }

Result<std::filesystem::path> RuntimeRegister::log_file() const {
  TRY(id, read_file(options_.boot_id_file, 256));
  while (!id.empty() && id.back() == '\n') id.pop_back();
  const bool plain =
      !id.empty() && id.size() <= 64 && id.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
  if (!plain) return fail(ErrorCode::kTeeFailed, options_.boot_id_file.string() + " does not name this boot");
  return options_.log_folder / ("rtmr3-" + id + ".events");
}

Result<std::vector<evidence::Event>> RuntimeRegister::events() const {
  std::vector<evidence::Event> out;
  TRY(path, log_file());
  TRY(lock, LockedLog::open(path, false));
  if (!lock.exists()) return out;
  TRY(log, parse_log(path));
  if (!log.entries.empty()) {
    TRY(now, read_register(options_.register_file));
    drop_unextended(log, now);
  }
  for (Entry& entry : log.entries) out.push_back(std::move(entry.event));
  return out;
}

Result<void> RuntimeRegister::extend(std::string_view name, ByteView payload) const {
  TRY_VOID(check_event(name, payload));
  TRY(path, log_file());
  TRY_VOID(ensure_private_folder(options_.log_folder));
  TRY(lock, LockedLog::open(path, true));
  TRY(log, parse_log(path));
  TRY(now, read_register(options_.register_file));
  drop_unextended(log, now);
  TRY_VOID(lock.cut(path, log.size));
  if (!log.entries.empty() && log.entries.back().after() != now) {
    return fail(ErrorCode::kUnsupported, "somebody else extended " + options_.register_file.string() +
                                             " after the last entry of " + path.string() + ": no log replays to it");
  }
  Entry entry{now, evidence::runtime_event(name, payload)};
  const std::string line = line_of(entry);
  if (log.size + line.size() > kMostLog) return log_error(path, "full");
  TRY_VOID(lock.append(path, line));
  TRY_VOID(options_.write ? options_.write(entry.event.digest)
                          : write_attribute(options_.register_file, entry.event.digest,
                                            std::chrono::steady_clock::now() + kRegisterWait));
  TRY(after, read_register(options_.register_file));
  if (after != entry.after()) {
    return fail(ErrorCode::kTeeFailed, options_.register_file.string() + " has another value than its extension gives");
  }
  return {};
}

}  // namespace cloister::tee
