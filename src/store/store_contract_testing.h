// For tests only: what each kind of store is tested with. `INSTANTIATE_TEST_SUITE_P` is in store_contract_test.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/postgres/postgres_testing.h"
#include "store/store_testing.h"

namespace cloister::store::testing {

inline constexpr std::int64_t kDay = 86400;

class StoreContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "sqlite") place_ = std::make_unique<SqlitePlace>();
    if (GetParam() == "memory") place_ = std::make_unique<MemoryPlace>();
    if (GetParam() == "postgresql") {
      CLOISTER_NEED_POSTGRES();
      place_ = std::make_unique<PostgresPlace>();
    }
    options_.clock = &clock_;
    options_.steady = &steady_;
    reopen();
  }

  void reopen() {
    store_.reset();
    auto opened = place_->open(options_);
    ASSERT_TRUE(opened) << opened.error().to_string();
    store_ = *std::move(opened);
  }
  bool lasts() const { return place_->lasts(); }

  // Advances both clocks, as real time does.
  void wait(std::int64_t seconds) {
    clock_.advance(seconds);
    steady_.advance(seconds);
  }
  void put(const std::vector<ReceiptRecord>& batch) {
    const auto done = store_->put(batch);
    ASSERT_TRUE(done) << done.error().to_string();
  }
  void put(const ReceiptRecord& one) { put(std::vector{one}); }
  std::optional<ReceiptRecord> find(std::string_view id, const Owner& whose) {
    auto found = store_->find(id, whose);
    EXPECT_TRUE(found) << found.error().to_string();
    return found ? *std::move(found) : std::nullopt;
  }
  std::uint64_t prune() {
    const auto gone = store_->prune();
    EXPECT_TRUE(gone) << gone.error().to_string();
    return gone ? *gone : 0;
  }
  StoreState state() {
    const auto state = store_->state();
    EXPECT_TRUE(state) << state.error().to_string();
    return state.value_or({});
  }

  FakeClock clock_{kStart};
  FakeClock steady_{1000};
  StoreOptions options_;
  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<ReceiptStore> store_;
};

// Tests of stores that still exist after they were closed.
class LastingStoreContract : public StoreContract {};

}  // namespace cloister::store::testing
