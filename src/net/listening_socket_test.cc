#include "net/listening_socket.h"

#include <gtest/gtest.h>

#include <string>

#include "net/socket_address.h"

namespace cloister::net {
namespace {

TEST(ListeningSocket, TakesAnyFreePortOfAnAddress) {
  for (const char* address : {"127.0.0.1", "::1", "[::1]", "0.0.0.0", "::"}) {
    const auto socket = listen_tcp(address, 0);
    ASSERT_TRUE(socket) << address << " " << socket.error().to_string();
    EXPECT_GT(socket->port, 0) << address;
    EXPECT_GE(socket->descriptor.get(), 0) << address;
  }
}

TEST(ListeningSocket, TakesNoNameAndNoOtherText) {
  for (const char* address : {"", "localhost", "127.1", "127.0.0.1.1", "[127.0.0.1", "::1]", "127.0.0.1:80", "x"}) {
    const auto socket = listen_tcp(address, 0);
    ASSERT_FALSE(socket) << address;
    EXPECT_EQ(socket.error().code, ErrorCode::kUsage) << address;
    EXPECT_NE(socket.error().message.find(std::string("got \"") + address + "\""), std::string::npos);
  }
}

TEST(ListeningSocket, NamesAnAddressThatIsInUse) {
  const auto first = listen_tcp("127.0.0.1", 0);
  ASSERT_TRUE(first);
  const auto second = listen_tcp("127.0.0.1", first->port);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAddressInUse);
  const auto v6 = listen_tcp("[::1]", 0);
  ASSERT_TRUE(v6);
  EXPECT_EQ(listen_tcp("::1", v6->port).error().message, "[::1]:" + std::to_string(v6->port) + " is already in use");
}

TEST(SocketAddress, APathFitsOrIsRefused) {
  const std::string longest(107, 'x');
  const auto address = unix_socket_address(longest);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->size, 2u + 107 + 1);
  EXPECT_EQ(unix_socket_address(longest + "x").error().code, ErrorCode::kUsage);
  EXPECT_EQ(unix_socket_address(std::string("a\0b", 3)).error().code, ErrorCode::kUsage);
  EXPECT_TRUE(*address == *unix_socket_address(longest));
  EXPECT_FALSE(*address == *unix_socket_address("x"));
}

TEST(SocketAddress, AnAddressAsTextIsNotLookedUp) {
  const auto found = resolve("127.0.0.1", 80);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1u);
  EXPECT_EQ(found->front().storage.ss_family, AF_INET);
  EXPECT_EQ(resolve("no-such-host.invalid", 80).error().code, ErrorCode::kNetwork);
}

}  // namespace
}  // namespace cloister::net
