// The parameters of one PostgreSQL statement and the rows of its answer, in the server's binary form: no value ever becomes
// part of the statement's text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/postgres/library.h"

namespace cloister::db::postgres {

// $1, $2, ... in the order of the calls. Views are not copied: their data outlives the statement.
class Params {
 public:
  Params& add(std::int64_t value);
  Params& add(std::string_view bytes);
  Params& add(const std::vector<std::int64_t>& values);                     // int8[]
  Params& add(const std::vector<std::optional<std::string_view>>& values);  // bytea[]

  int count() const { return static_cast<int>(types_.size()); }
  const Oid* types() const { return types_.data(); }
  // In the form for PQsendQueryParams; valid until the next add().
  std::vector<const char*> values() const;
  std::vector<int> lengths() const;
  std::vector<int> formats() const { return std::vector<int>(types_.size(), 1); }

 private:
  struct Value {
    std::string own;
    std::string_view view;  // used when `own` is empty
    std::string_view bytes() const { return own.empty() ? view : std::string_view(own); }
  };
  Params& push(Oid type, std::string own);

  std::vector<Oid> types_;
  std::vector<Value> values_;
};

class Rows {
 public:
  Rows(const Library& library, PGresult* result) : library_(&library), result_(result, library.clear) {}

  int count() const { return library_->ntuples(result_.get()); }
  bool is_null(int row, int column) const { return library_->getisnull(result_.get(), row, column) != 0; }
  // Integers of 4 or 8 bytes; 0 for NULL and anything else.
  std::int64_t number(int row, int column) const;
  // Valid as long as this object lives.
  std::string_view bytes(int row, int column) const;
  const PGresult* raw() const { return result_.get(); }

 private:
  const Library* library_;
  std::unique_ptr<PGresult, decltype(Library::clear)> result_;
};

}  // namespace cloister::db::postgres
