// An open file or socket that is closed when its owner is destroyed.
#pragma once

#include <unistd.h>

#include <utility>

namespace cloister {

class FileDescriptor {
 public:
  // A negative value means none.
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  int get() const { return fd_; }
  // Releases the descriptor: the caller closes it.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace cloister
