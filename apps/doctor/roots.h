// Where the kernel shows itself. All below one folder in tests.
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

// The file without its last line end, at most 1 MiB; nothing when it cannot be read.
std::optional<std::string> read_text(const std::filesystem::path& path);
bool is_there(const std::filesystem::path& path);
// Whether this process may open it for reading and writing.
bool usable(const std::filesystem::path& path);

}  // namespace cloister::apps
