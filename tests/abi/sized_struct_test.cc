// Structures that carry their own size: what later and former versions of a caller may hand in.
#include "abi/sized_struct.h"

#include <gtest/gtest.h>

namespace cloister::abi {

// A structure that was published with its first two members, with three, and with all.
struct Grown {
  std::uint32_t struct_size;
  std::uint32_t first;
  std::uint64_t second;
  std::uint64_t third;
};
template <>
inline constexpr std::array<std::uint32_t, 3> kPublishedSizes<Grown> = {8, 16, sizeof(Grown)};

namespace {

struct Caller {
  Grown known = {0, 1, 2, 3};
  unsigned char later[kMostStructBytes] = {};
};

TEST(SizedStruct, AFormerVersionIsReadAsFarAsItGoes) {
  Caller caller;
  Grown out;
  caller.known.struct_size = 8;
  ASSERT_TRUE(read_sized(&caller, out));
  EXPECT_EQ(out.first, 1u);
  EXPECT_EQ(out.second, 0u) << "what lies behind the former structure is not the caller's";
  EXPECT_EQ(out.third, 0u);
  caller.known.struct_size = 16;
  ASSERT_TRUE(read_sized(&caller, out));
  EXPECT_EQ(out.second, 2u);
  EXPECT_EQ(out.third, 0u);
  caller.known.struct_size = sizeof(Grown);
  ASSERT_TRUE(read_sized(&caller, out));
  EXPECT_EQ(out.third, 3u);
}

TEST(SizedStruct, SizesThatNobodyPublishedAreRefused) {
  for (std::uint32_t size = 0; size < sizeof(Grown); ++size) {
    Caller caller;
    caller.known.struct_size = size;
    Grown out = {9, 9, 9, 9};
    EXPECT_EQ(read_sized(&caller, out), size == 8 || size == 16) << size;
    if (size != 8 && size != 16) EXPECT_TRUE(out.struct_size == 0 && out.first == 0 && out.third == 0) << size;
  }
}

TEST(SizedStruct, ALaterVersionIsReadWhereItAsksForNothingMore) {
  Caller caller;
  Grown out;
  caller.known.struct_size = sizeof(Grown) + 40;
  caller.later[40] = 1;  // behind the structure
  ASSERT_TRUE(read_sized(&caller, out));
  EXPECT_EQ(out.third, 3u);
  for (const std::size_t place : {0, 20, 39}) {
    caller.later[place] = 1;
    EXPECT_FALSE(read_sized(&caller, out)) << place;
    EXPECT_EQ(out.first, 0u);
    caller.later[place] = 0;
  }
  caller.later[40] = 0;
  caller.known.struct_size = kMostStructBytes;
  EXPECT_TRUE(read_sized(&caller, out));
  caller.known.struct_size = kMostStructBytes + 1;
  EXPECT_FALSE(read_sized(&caller, out));
}

TEST(SizedStruct, MayLieAtAnyAddress) {
  unsigned char bytes[sizeof(Grown) + 1];
  const Grown grown = {sizeof(Grown), 1, 2, 3};
  std::memcpy(bytes + 1, &grown, sizeof grown);
  Grown out;
  ASSERT_TRUE(read_sized(bytes + 1, out));
  EXPECT_EQ(out.third, 3u);
}

TEST(SizedStruct, WritesAsFarAsTheCallersStructureGoes) {
  Caller caller;
  caller.known.struct_size = 16;
  ASSERT_TRUE(write_sized(&caller, Grown{0, 7, 8, 9}));
  EXPECT_EQ(caller.known.struct_size, 16u);
  EXPECT_EQ(caller.known.first, 7u);
  EXPECT_EQ(caller.known.second, 8u);
  EXPECT_EQ(caller.known.third, 3u) << "this is not the caller's structure any more";
  caller.known.struct_size = 12;
  EXPECT_FALSE(write_sized(&caller, Grown{0, 1, 1, 1}));
  EXPECT_EQ(caller.known.first, 7u);
}

}  // namespace
}  // namespace cloister::abi
