#include "collateral/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace cloister::collateral {
namespace {

// 7.85 is the first version that takes the allowed protocols as text.
constexpr unsigned kLeastVersion = 0x075500;

template <typename Function>
bool find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(library, name));
  return out != nullptr;
}

Result<CurlLibrary> load() {
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return fail(ErrorCode::kIo, std::string("fetching needs libcurl (Debian: apt-get install libcurl4): ") +
                                    (why != nullptr ? why : "cannot be loaded"));
  }
  CurlLibrary out{};
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_version_info) version_info = nullptr;
  if (!find(library, "curl_easy_init", out.easy_init) || !find(library, "curl_easy_cleanup", out.easy_cleanup) ||
      !find(library, "curl_easy_setopt", out.easy_setopt) || !find(library, "curl_easy_perform", out.easy_perform) ||
      !find(library, "curl_easy_getinfo", out.easy_getinfo) ||
      !find(library, "curl_easy_strerror", out.easy_strerror) ||
      !find(library, "curl_slist_append", out.slist_append) ||
      !find(library, "curl_slist_free_all", out.slist_free_all) || !find(library, "curl_global_init", global_init) ||
      !find(library, "curl_version_info", version_info)) {
    return fail(ErrorCode::kIo, "libcurl.so.4 lacks functions that fetching needs");
  }
  if (version_info(CURLVERSION_NOW)->version_num < kLeastVersion) {
    return fail(ErrorCode::kIo,
                std::string("fetching needs libcurl 7.85 or newer, found ") + version_info(CURLVERSION_NOW)->version);
  }
  if (global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return fail(ErrorCode::kIo, "libcurl cannot be initialised");
  return out;
}

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const Result<CurlLibrary> library = load();
  if (!library) return library.error();
  return &*library;
}

}  // namespace cloister::collateral
