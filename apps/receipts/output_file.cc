#include "apps/receipts/output_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>

#include "apps/output.h"
#include "base/terminal_text.h"

namespace cloister::apps {

Result<std::unique_ptr<OutputFile>> OutputFile::open(const std::string& path) {
  if (path.empty() || path == "-") return std::unique_ptr<OutputFile>(new OutputFile(stdout, "standard output", ""));
  const std::string temporary = path + ".new." + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  std::FILE* file = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (file == nullptr) return fail(ErrorCode::kIo, "cannot write " + path + ": " + strerror(errno), path);
  return std::unique_ptr<OutputFile>(new OutputFile(file, path, temporary));
}

OutputFile::~OutputFile() {
  if (temporary_.empty()) return;
  std::fclose(file_);
  ::unlink(temporary_.c_str());
}

Error OutputFile::failed() const {
  const int why = errno;
  if (temporary_.empty()) flush_output();  // if the reader is gone, this ends the program silently
  return fail(ErrorCode::kIo, "cannot write " + path_ + ": " + strerror(why), path_);
}

Result<void> OutputFile::write_line(std::string_view line) {
  // On a terminal a person looks at the stored text; a file or a pipe must get it byte for byte.
  std::string shown;
  if (is_terminal(file_)) line = shown = terminal_line(line);
  print_bytes(file_, line);
  print_bytes(file_, "\n");
  if (std::ferror(file_) != 0) return failed();
  return {};
}

Result<void> OutputFile::finish() {
  if (temporary_.empty()) return flush_output() ? Result<void>() : failed();
  if (std::fflush(file_) != 0) return failed();
  if (::fsync(::fileno(file_)) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) return failed();
  std::fclose(file_);
  temporary_.clear();
  return {};
}

}  // namespace cloister::apps
