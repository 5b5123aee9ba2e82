// A library opened at run time.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace cloister::gpu {

class SharedLibrary {
 public:
  // `name` is a path, or a name that the system's search finds. kNoGpu, with the loader's reason, when it cannot be opened.
  static Result<SharedLibrary> open(const std::string& path);

  // Returns null when the library has no such function.
  template <typename Function>
  Function* find(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }
  // Like find(), but returns kNoGpu when there is no such function.
  template <typename Function>
  Result<void> bind(const char* name, Function*& out) const {
    out = find<Function>(name);
    if (out == nullptr) return missing(name);
    return {};
  }

 private:
  SharedLibrary(std::string path, void* handle);
  void* symbol(const char* name) const;
  Error missing(const char* name) const;

  std::string path_;
  std::shared_ptr<void> handle_;
};

}  // namespace cloister::gpu
