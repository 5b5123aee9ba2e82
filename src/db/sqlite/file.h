// The file of an SQLite database, opened for one connection that writes and any number that read.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "db/options.h"
#include "db/sqlite/schema.h"

namespace cloister::db::sqlite {

// Opens `file`, which errors call a `what` ("receipt store"). With kCreate the folder and the file are made (modes 0700 and 0600) when they do
// not exist, the file has a write-ahead log, and its tables are brought to the newest version. kExisting gives a connection that cannot
// write. A file of up to 32 MiB is checked completely. Errors: kStoreFailed for a file that is no regular file, that other users can write,
// that is locked, or that is empty or old where nothing may be changed; kStoreDamaged for one that no version of this program wrote.
Result<std::unique_ptr<Connection>> open_file(const std::filesystem::path& file, std::string_view what,
                                              Durability durability, Access access, const Schema& schema);
// A database in memory, which ends with its connection. `name` names it in errors.
Result<std::unique_ptr<Connection>> open_memory(std::string name, std::string_view what, const Schema& schema);
// Another connection to the file that open_file() opened; it cannot write.
Result<std::unique_ptr<Connection>> open_reader(const Connection& writer);

}  // namespace cloister::db::sqlite
