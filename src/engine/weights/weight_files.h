// WeightFiles: the files that a model is read from. They are opened once and stay open, and what the file system said of
// them at that moment is kept, so that it can be told at any later time whether they are still the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file_descriptor.h"
#include "base/result.h"

namespace cloister::engine {

// What tells one content of a file from another without reading it. A write changes the times, a rename over the path the
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
    std::string name;          // for the identity: without folders, or relative to the folder that was named
    FileDescriptor fd{-1};
    FileState state;
  };

  // `names` beside the paths, in the same order. Errors (kModelFile) name the file that is missing or no regular file.
  static Result<std::shared_ptr<const WeightFiles>> open(const std::vector<std::filesystem::path>& paths,
                                                         const std::vector<std::string>& names);
  // All files of a folder and the folders in it, in the order of their names; those whose names begin with a dot are left
  // out, links to files are followed. At most 4,096. Of a file: itself.
  static Result<std::shared_ptr<const WeightFiles>> open_all(const std::filesystem::path& path);

  const std::vector<std::unique_ptr<File>>& files() const { return files_; }
  std::uint64_t size_bytes() const;

  // Whether each open file, and what its path leads to now, is still what was opened. kModelFile, with the file's name and
  // what is different. Any thread; two system calls a file.
  Result<void> check_unchanged() const;

 private:
  std::vector<std::unique_ptr<File>> files_;
};

// The files of a GGUF model of `parts` parts, of which `first` is the first: "NAME-00001-of-00003.gguf" and so on. kModelFile
// when its name is not of that form.
Result<std::vector<std::filesystem::path>> gguf_parts(const std::filesystem::path& first, std::uint32_t parts);

}  // namespace cloister::engine
