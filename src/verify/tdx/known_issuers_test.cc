#include "verify/tdx/known_issuers.h"

#include <gtest/gtest.h>

#include "verify/roots.h"

namespace cloister::verify {
namespace {

TEST(KnownIssuers, AllHangUnderThePinnedRoot) {
  const KnownIssuers& known = known_issuers();
  const crypto::Certificate* root = pinned_root(RootUse::kCpu, RootKind::kVendor);
  ASSERT_NE(root, nullptr);
  ASSERT_EQ(known.certificates.size(), 3u);
  std::vector<std::string> names;
  for (const crypto::Certificate& certificate : known.certificates) {
    EXPECT_TRUE(known.links.holds(certificate, *root));
    EXPECT_FALSE(known.links.holds(*root, certificate));
    names.push_back(certificate.subject_common_name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA",
                                             "Intel SGX TCB Signing"}));
}

}  // namespace
}  // namespace cloister::verify
