#include "tee/tsm/tsm_report.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>

#include "tee/attribute_file.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kMostBlob = 256u << 10;
constexpr std::size_t kMostProvider = 64;
constexpr int kMostNames = 1000;

// An entry under the root, as long as this object lives.
class Entry {
 public:
  static Result<Entry> make(const std::filesystem::path& root) {
    static std::atomic<std::uint64_t> counter = 0;
    for (int i = 0; i < kMostNames; ++i) {
      std::filesystem::path path = root / ("cloister-" + std::to_string(::getpid()) + "-" + std::to_string(++counter));
      if (::mkdir(path.c_str(), 0700) == 0) return Entry(std::move(path));
      const int code = errno;
      if (code == EEXIST) continue;  // a process with this number left it behind
      if (code == ENOENT) return fail(ErrorCode::kNoTee, root.string() + " is not there", root.string());
      if (code == ENXIO) {
        return fail(ErrorCode::kNoTee, root.string() + ": no TEE stands behind it: no provider is loaded",
                    root.string());
      }
      return fail(ErrorCode::kTeeFailed, "cannot make an entry under " + root.string() + ": " + strerror(code),
                  root.string());
    }
    return fail(ErrorCode::kTeeFailed, root.string() + " is full of entries that nobody removed", root.string());
  }
  Entry(Entry&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ~Entry() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }
  std::filesystem::path attribute(const char* name) const { return path_ / name; }

 private:
  explicit Entry(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

Result<std::string> read_provider(const Entry& entry, Deadline deadline) {
  TRY(provider, read_attribute(entry.attribute("provider"), kMostProvider, deadline));
  while (!provider.empty() && provider.back() == '\n') provider.pop_back();
  if (provider != "tdx_guest" && provider != "sev_guest") {
    return fail(ErrorCode::kNoTee, entry.attribute("provider").string() + ": expected tdx_guest or sev_guest");
  }
  return provider;
}

Result<std::uint64_t> read_generation(const Entry& entry, Deadline deadline) {
  TRY(text, read_attribute(entry.attribute("generation"), 64, deadline));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kTeeFailed, entry.attribute("generation").string() + ": expected a number");
  }
  return value;
}

Result<Bytes> read_blob(const Entry& entry, const char* name, Deadline deadline) {
  TRY(text, read_attribute(entry.attribute(name), kMostBlob, deadline));
  return to_bytes(as_bytes(text));
}

Deadline deadline_in(int seconds) { return std::chrono::steady_clock::now() + std::chrono::seconds(seconds); }

}  // namespace

Result<TsmReport> take_tsm_report(const std::filesystem::path& root, const evidence::ReportData& report_data,
                                  int timeout_s) {
  const Deadline deadline = deadline_in(timeout_s);
  TRY(entry, Entry::make(root));
  TsmReport report;
  TRY(provider, read_provider(entry, deadline));
  TRY(before, read_generation(entry, deadline));
  TRY_VOID(write_attribute(entry.attribute("inblob"), report_data, deadline));
  TRY(outblob, read_blob(entry, "outblob", deadline));
  if (outblob.empty()) return fail(ErrorCode::kTeeFailed, entry.attribute("outblob").string() + " is empty");
  if (provider == "sev_guest") {
    TRY(auxblob, read_blob(entry, "auxblob", deadline));
    report.auxblob = std::move(auxblob);
  }
  // The counter counts writes: only ours may lie between the two. The kernel processes a write when the file is closed,
  // when it can no longer report a failure: only the counter shows it.
  TRY(after, read_generation(entry, deadline));
  if (after != before + 1) {
    return fail(ErrorCode::kTeeFailed,
                entry.attribute("generation").string() + ": expected " + std::to_string(before + 1) + ", found " +
                    std::to_string(after) +
                    (after == before ? ": the kernel did not take our write" : ": somebody else wrote to this entry"));
  }
  report.provider = std::move(provider);
  report.outblob = std::move(outblob);
  return report;
}

Result<std::string> tsm_provider(const std::filesystem::path& root, int timeout_s) {
  TRY(entry, Entry::make(root));
  return read_provider(entry, deadline_in(timeout_s));
}

}  // namespace cloister::tee
