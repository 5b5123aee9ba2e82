#include "api/client_name.h"

#include <gtest/gtest.h>

namespace cloister::api {
namespace {

TEST(ClientName, ATokenIsABetterNameThanAnAddress) {
  EXPECT_EQ(client_name(Owner{1}, "192.0.2.7:99", false), "token 01000000000000000000000000000000");
  EXPECT_EQ(client_name(Owner{1}, "127.0.0.1:99", true), "token 01000000000000000000000000000000");
}

TEST(ClientName, AddressesWithoutTheirPorts) {
  EXPECT_EQ(client_name(Owner{}, "192.0.2.7:99", false), "address 192.0.2.7");
  EXPECT_EQ(client_name(Owner{}, "[::ffff:192.0.2.7]:99", false), "address 192.0.2.7") << "the same one";
  EXPECT_EQ(client_name(Owner{}, "[2001:db8:1:2:3:4:5:6]:99", false), "network 20010db800010002");
  EXPECT_EQ(client_name(Owner{}, "[2001:db8:1:2::1]:7", false), "network 20010db800010002");
}

TEST(ClientName, ThisMachineHasNone) { EXPECT_EQ(client_name(Owner{}, "127.0.0.1:99", true), ""); }

}  // namespace
}  // namespace cloister::api
