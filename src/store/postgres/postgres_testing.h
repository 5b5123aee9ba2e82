// For tests: a place for a store in PostgreSQL.
#pragma once

#include <filesystem>
#include <string>

#include "db/postgres/server_testing.h"
#include "store/store_testing.h"

namespace cloister::store::testing {

class PostgresPlace : public StorePlace {
 public:
  void name_in(StoreOptions& options) const override { options.postgres_file = file(); }
  std::filesystem::path file() const { return schema_.file(); }
  const std::string& schema() const { return schema_.name(); }
  std::string connection() const { return schema_.connection(); }

 private:
  db::postgres::testing::TestSchema schema_;
};

}  // namespace cloister::store::testing
