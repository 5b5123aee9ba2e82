// The tables of one kind of SQLite database: created, brought from one version to the next, and compared word for word with what this program
// knows, because whoever wrote the file decides nothing about them. SQLite's application_id names the kind, its user_version the version.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "db/sqlite/connection.h"

namespace cloister::db::sqlite {

struct Schema {
  std::string_view brought_by;      // the commands that bring an older file up to date, for messages
  std::int64_t application_id = 0;  // by which `file` and other programs recognise the kind
  // The SQL texts of every version, from version 1 on; the last is the newest.
  std::vector<std::span<const char* const>> versions;
  // Called with the version of the file, within the transaction that brings the file to the newest version. For 0 the tables were just
  // created and the step adds the first rows; for an older version the step changes the tables.
  std::function<Result<void>(const Connection&, std::int64_t version)> step;

  std::int64_t newest() const { return static_cast<std::int64_t>(versions.size()); }
};

// Reads only: a file of another kind stays unchanged (kStoreDamaged). Returns the version; 0 for an empty file.
Result<std::int64_t> check_identity(const Connection& connection, const Schema& schema);
// Brings a file of that version to the newest, in one transaction, and checks that its tables are those of the newest and no others. After an
// error nothing has changed. What a step deletes is overwritten (secure_delete).
Result<void> bring_up_to_date(const Connection& connection, const Schema& schema, std::int64_t version);
// Checks a file that is only read, and changes nothing: kStoreFailed for a file that is empty or of an older version.
Result<void> check_existing(const Connection& connection, const Schema& schema, std::int64_t version);

}  // namespace cloister::db::sqlite
