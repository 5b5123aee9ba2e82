// libcurl, loaded when the first fetch needs it. Private to collateral.
//
// It is not linked, since it brings some thirty libraries into the process. That costs a verification without fetching
// more than the verification itself, and a serving node never needs them (docs/decisions/0005-fetching-collateral.md).
#pragma once

#include <curl/curl.h>

#include "base/result.h"

namespace cloister::collateral {

// The functions that are used, with the types of libcurl's own header.
struct CurlLibrary {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

// Any thread. The library stays loaded until the process ends. An error when it is missing or too old.
Result<const CurlLibrary*> curl_library();

}  // namespace cloister::collateral
