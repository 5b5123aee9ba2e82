#include "verify/tdx/collateral_cache.h"

#include <gtest/gtest.h>

namespace cloister::verify {
namespace {

TEST(TdxCollateralCache, FindsAPckChainByItsTextAlone) {
  TdxCollateralCache cache(2);
  EXPECT_EQ(cache.find_pck_chain("first"), nullptr);
  cache.remember({"first", {}, {}});
  cache.remember({"first", {}, {}});
  cache.remember({"second", {}, {}});
  ASSERT_NE(cache.find_pck_chain("first"), nullptr);
  EXPECT_EQ(cache.find_pck_chain("firs"), nullptr);
  // The least recently used one is dropped.
  cache.remember({"third", {}, {}});
  EXPECT_EQ(cache.find_pck_chain("second"), nullptr);
  EXPECT_NE(cache.find_pck_chain("first"), nullptr);
  EXPECT_NE(cache.find_pck_chain("third"), nullptr);
}

}  // namespace
}  // namespace cloister::verify
