// Reads and writes whole files with a size bound and with errors that name the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister {

// Reads the whole file. Fails when it is larger than `limit_bytes`, before reading anything where the size is known.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes);
// Like read_file() for a regular file, and kIo for anything else: opening or reading a pipe would wait for its writer.
Result<std::string> read_regular_file(const std::filesystem::path& path, std::size_t limit_bytes);

// Replaces the file by writing a sibling and renaming it, so that a reader sees the old bytes or the new ones.
// `mode` is the permission of the new file, for example 0600.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view bytes, unsigned mode);

// Creates the folder and its parents with mode 0700 and checks that it can be written.
Result<void> ensure_private_folder(const std::filesystem::path& path);

}  // namespace cloister
