#include "db/postgres/library.h"

#include <dlfcn.h>

#include <string>

namespace cloister::db::postgres {
namespace {

constexpr int kLeastVersion = 140000;

template <typename Function>
bool find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(library, name));
  return out != nullptr;
}

Result<Library> load() {
  void* library = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return fail(ErrorCode::kStoreFailed, std::string("PostgreSQL needs libpq (Debian: apt-get install libpq5): ") +
                                             (why != nullptr ? why : "cannot be loaded"));
  }
  Library out{};
  decltype(&::PQlibVersion) version = nullptr;
  if (!find(library, "PQconninfoParse", out.conninfo_parse) || !find(library, "PQconninfoFree", out.conninfo_free) ||
      !find(library, "PQfreemem", out.freemem) || !find(library, "PQconnectdbParams", out.connectdb_params) ||
      !find(library, "PQfinish", out.finish) || !find(library, "PQstatus", out.status) ||
      !find(library, "PQtransactionStatus", out.transaction_status) ||
      !find(library, "PQerrorMessage", out.error_message) || !find(library, "PQsocket", out.socket) ||
      !find(library, "PQsetnonblocking", out.setnonblocking) || !find(library, "PQflush", out.flush) ||
      !find(library, "PQconsumeInput", out.consume_input) || !find(library, "PQisBusy", out.is_busy) ||
      !find(library, "PQsendQueryParams", out.send_query_params) || !find(library, "PQgetResult", out.get_result) ||
      !find(library, "PQresultStatus", out.result_status) ||
      !find(library, "PQresultErrorField", out.result_error_field) || !find(library, "PQclear", out.clear) ||
      !find(library, "PQntuples", out.ntuples) || !find(library, "PQgetvalue", out.getvalue) ||
      !find(library, "PQgetlength", out.getlength) || !find(library, "PQgetisnull", out.getisnull) ||
      !find(library, "PQsetNoticeProcessor", out.set_notice_processor) || !find(library, "PQlibVersion", version)) {
    return fail(ErrorCode::kStoreFailed, "libpq.so.5 lacks functions that Cloister needs");
  }
  if (version() < kLeastVersion) {
    return fail(ErrorCode::kStoreFailed,
                "Cloister needs libpq 14 or newer, found " + std::to_string(version() / 10000));
  }
  return out;
}

}  // namespace

Result<const Library*> library() {
  static const Result<Library> library = load();
  if (!library) return library.error();
  return &*library;
}

}  // namespace cloister::db::postgres
