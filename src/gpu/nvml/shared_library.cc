#include "gpu/nvml/shared_library.h"

#include <dlfcn.h>

namespace cloister::gpu {

SharedLibrary::SharedLibrary(std::string path, void* handle)
    : path_(std::move(path)), handle_(handle, [](void* opened) { ::dlclose(opened); }) {}

Result<SharedLibrary> SharedLibrary::open(const std::string& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    return fail(ErrorCode::kNoGpu, reason != nullptr ? reason : path + " cannot be opened", path);
  }
  return SharedLibrary(path, handle);
}

void* SharedLibrary::symbol(const char* name) const { return ::dlsym(handle_.get(), name); }

Error SharedLibrary::missing(const char* name) const {
  return fail(ErrorCode::kNoGpu, path_ + " has no " + name + ": it is no such library, or of a driver that is too old",
              path_);
}

}  // namespace cloister::gpu
