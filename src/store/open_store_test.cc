// Tests which store the options name.
#include "store/open_store.h"

#include <gtest/gtest.h>

#include "store/store_testing.h"

namespace cloister::store {
namespace {

TEST(OpenStore, TakesOnePlace) {
  EXPECT_EQ(open_store({}).error().code, ErrorCode::kUsage);
  StoreOptions two;
  two.memory = true;
  two.sqlite_file = "/tmp/x";
  EXPECT_EQ(open_store(two).error().code, ErrorCode::kUsage);
  StoreOptions negative;
  negative.memory = true;
  negative.limits.receipt_age_s = -1;
  EXPECT_EQ(open_store(negative).error().code, ErrorCode::kUsage);
}

TEST(OpenStore, ReadsOptions) {
  EXPECT_EQ(*parse_bytes("4G"), 4ull << 30);
  EXPECT_EQ(*parse_bytes("512MiB"), 512ull << 20);
  EXPECT_EQ(*parse_bytes("1048576"), 1048576u);
  EXPECT_EQ(*parse_bytes("0"), 0u);
  for (const char* wrong : {"", "G", "-1", "1.5G", "1GB", "1 G", "1g", "9999999999G", "99999999999999999999", "+1"})
    EXPECT_FALSE(parse_bytes(wrong)) << wrong;
  EXPECT_EQ(*parse_age("30d"), 30 * 86400);
  EXPECT_EQ(*parse_age("36h"), 36 * 3600);
  EXPECT_EQ(*parse_age("90m"), 5400);
  EXPECT_EQ(*parse_age("0s"), 0);
  for (const char* wrong : {"", "30", "d", "-1d", "1y", "1dd", "366001d", "18446744073709551615d"})
    EXPECT_FALSE(parse_age(wrong)) << wrong;
  EXPECT_EQ(*parse_durability("kill"), Durability::kProcess);
  EXPECT_EQ(*parse_durability("power"), Durability::kMachine);
  EXPECT_FALSE(parse_durability("full"));
}

}  // namespace
}  // namespace cloister::store
