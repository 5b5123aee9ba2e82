// The folders in which the kernel shows its state. In tests all of them are below one folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace cloister::apps {

struct Roots {
  explicit Roots(const std::filesystem::path& root)
      : proc(root / "proc"), sys(root / "sys"), dev(root / "dev"), run(root / "var/run") {}
  std::filesystem::path proc, sys, dev, run;
};

// The file without its last line end, at most 1 MiB; absent when it cannot be read.
std::optional<std::string> read_text(const std::filesystem::path& path);
bool is_there(const std::filesystem::path& path);
// True when this process may open it for reading and writing.
bool usable(const std::filesystem::path& path);

}  // namespace cloister::apps
