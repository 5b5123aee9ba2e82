#include "base/locked_pages.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "base/secret.h"

namespace cloister {
namespace {

// The line "VmFlags:" of /proc/self/smaps for the mapping that holds `address`.
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream head(line);
    if (head >> std::hex >> begin >> dash >> end && dash == '-') inside = begin <= wanted && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return "";
}

TEST(LockedPages, AreNeitherSwappedNorDumped) {
  LockedPages pages(32);
  pages.bytes()[31] = 7;
  const std::string flags = flags_of(pages.bytes().data());
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  EXPECT_EQ(flags.find(" lo ") != std::string::npos, pages.locked()) << flags;
}

TEST(LockedPages, MoveAndLeaveNothingBehind) {
  LockedPages first(8);
  first.bytes()[0] = 5;
  LockedPages second = std::move(first);
  EXPECT_TRUE(first.bytes().empty());
  EXPECT_EQ(second.bytes()[0], 5);
  LockedPages third(4);
  third = std::move(second);
  EXPECT_EQ(third.bytes().size(), 8u);
  EXPECT_EQ(third.bytes()[0], 5);
  EXPECT_TRUE(LockedPages(0).bytes().empty());
}

TEST(SecretBytes, HoldWhatTheyWereGiven) {
  const Bytes given = {1, 2, 3};
  SecretBytes secret{ByteView(given)};
  EXPECT_TRUE(equal(secret.expose(), given));
  const SecretBytes again = secret.clone();
  secret = SecretBytes();
  EXPECT_TRUE(secret.empty());
  EXPECT_TRUE(equal(again.expose(), given));
  EXPECT_EQ(again.size(), 3u);
}

}  // namespace
}  // namespace cloister
