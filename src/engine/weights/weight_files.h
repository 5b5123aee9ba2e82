// WeightFiles: the files that a model is read from. They are opened once and stay open. The file system's metadata of
// that moment is kept, so that any later time can show whether the files are still the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace cloister::engine {

// What distinguishes two contents of a file without reading it. A write changes the times, a rename over the path the
// inode, and a rename away and back the time of the inode's last change.
struct FileState {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;

  bool operator==(const FileState&) const = default;
};

class WeightFiles {
 public:
  struct File {
    std::filesystem::path path;
    std::string name;  // name in the identity: without folders, or relative to the folder that was named
    FileDescriptor fd{-1};
    FileState state;
  };

  // `names` belong to the paths, in the same order. Errors (kModelFile) name the file that is missing or no regular file.
  static Result<std::shared_ptr<const WeightFiles>> open(const std::vector<std::filesystem::path>& paths,
                                                         const std::vector<std::string>& names);
  // Opens all files of a folder and of the folders in it, in the order of their names. Names that begin with a dot are
  // left out, links to files are followed. At most 4,096 files. For a file: opens that file.
  static Result<std::shared_ptr<const WeightFiles>> open_all(const std::filesystem::path& path);

  const std::vector<std::unique_ptr<File>>& files() const { return files_; }
  std::uint64_t size_bytes() const;

  // Checks that each open file, and what its path leads to now, is still what was opened. kModelFile, with the file's
  // name and the difference. Any thread; two system calls for each file.
  Result<void> check_unchanged() const;

 private:
  std::vector<std::unique_ptr<File>> files_;
};

// The files of a GGUF model of `parts` parts, of which `first` is the first: "NAME-00001-of-00003.gguf" and so on.
// kModelFile when its name does not have that form.
Result<std::vector<std::filesystem::path>> gguf_parts(const std::filesystem::path& first, std::uint32_t parts);

}  // namespace cloister::engine
