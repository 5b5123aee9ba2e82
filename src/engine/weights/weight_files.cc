#include "engine/weights/weight_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace cloister::engine {
namespace {

constexpr std::size_t kMostFiles = 4096;
constexpr int kMostDepth = 16;

Error about(const std::filesystem::path& path, const std::string& what) {
  return fail(ErrorCode::kModelFile, "model file " + path.string() + ": " + what, path.string());
}

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

FileState state_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

std::string difference(const FileState& before, const FileState& now) {
  if (before.device != now.device || before.inode != now.inode) return "another file stands in its place";
  if (before.size != now.size) {
    return "its size has changed from " + std::to_string(before.size) + " to " + std::to_string(now.size) + " bytes";
  }
  return "it has been written to, moved or linked";
}

Result<std::unique_ptr<WeightFiles::File>> open_one(const std::filesystem::path& path, const std::string& name) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return about(path, errno == ENOENT ? "no such file" : std::string("cannot be opened: ") + std::strerror(errno));
  auto file = std::unique_ptr<WeightFiles::File>(new WeightFiles::File{path, name, FileDescriptor(fd), {}});
  struct stat status {};
  if (::fstat(fd, &status) != 0) return about(path, std::string("cannot be looked at: ") + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return about(path, "not a file");
  file->state = state_of(status);
  return file;
}

// Relative paths of the files below `folder`.
Result<void> list_files(const std::filesystem::path& folder, const std::string& prefix, int depth,
                        std::vector<std::string>& out) {
  std::error_code code;
  for (std::filesystem::directory_iterator entry(folder, code), end; !code && entry != end; entry.increment(code)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(".")) continue;
    if (entry->is_directory(code)) {
      if (depth == kMostDepth) return about(folder, "folders are nested deeper than " + std::to_string(kMostDepth));
      TRY_VOID(list_files(entry->path(), prefix + name + "/", depth + 1, out));
    } else {
      if (out.size() == kMostFiles) return about(folder, "more than " + std::to_string(kMostFiles) + " files");
      out.push_back(prefix + name);
    }
  }
  if (code) return about(folder, "cannot be read: " + code.message());
  return {};
}

}  // namespace

Result<std::shared_ptr<const WeightFiles>> WeightFiles::open(const std::vector<std::filesystem::path>& paths,
                                                             const std::vector<std::string>& names) {
  auto out = std::make_shared<WeightFiles>();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    TRY(file, open_one(paths[i], names[i]));
    out->files_.push_back(std::move(file));
  }
  return std::shared_ptr<const WeightFiles>(std::move(out));
}

Result<std::shared_ptr<const WeightFiles>> WeightFiles::open_all(const std::filesystem::path& path) {
  std::error_code code;
  if (!std::filesystem::is_directory(path, code)) return open({path}, {path.filename().string()});
  std::vector<std::string> names;
  TRY_VOID(list_files(path, "", 0, names));
  if (names.empty()) return about(path, "the folder holds no files");
  std::sort(names.begin(), names.end());
  std::vector<std::filesystem::path> paths;
  for (const std::string& name : names) paths.push_back(path / name);
  return open(paths, names);
}

std::uint64_t WeightFiles::size_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& file : files_) sum += file->state.size;
  return sum;
}

Result<void> WeightFiles::check_unchanged() const {
  for (const auto& file : files_) {
    struct stat status {};
    if (::fstat(file->fd.get(), &status) != 0) return about(file->name, "it can no longer be looked at");
    // The path is checked first: a file that was replaced has changed as well, since its last link is gone.
    struct stat at_path {};
    if (::stat(file->path.c_str(), &at_path) != 0) return about(file->name, "it is gone from its folder");
    if (const FileState now = state_of(at_path); now != file->state)
      return about(file->name, difference(file->state, now));
    if (const FileState now = state_of(status); now != file->state)
      return about(file->name, difference(file->state, now));
  }
  return {};
}

Result<std::vector<std::filesystem::path>> gguf_parts(const std::filesystem::path& first, std::uint32_t parts) {
  if (parts <= 1) return std::vector<std::filesystem::path>{first};
  const auto suffix = [parts](std::uint32_t part) {
    char text[40];
    std::snprintf(text, sizeof text, "-%05u-of-%05u.gguf", part, parts);
    return std::string(text);
  };
  const std::string name = first.filename().string();
  if (!name.ends_with(suffix(1))) {
    return about(first,
                 "it is one of " + std::to_string(parts) + " parts, and the first is named like NAME" + suffix(1));
  }
  const std::string stem = name.substr(0, name.size() - suffix(1).size());
  std::vector<std::filesystem::path> out;
  for (std::uint32_t part = 1; part <= parts; ++part) out.push_back(first.parent_path() / (stem + suffix(part)));
  return out;
}

}  // namespace cloister::engine
