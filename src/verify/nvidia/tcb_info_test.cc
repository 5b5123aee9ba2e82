#include "verify/nvidia/tcb_info.h"

#include <gtest/gtest.h>

#include "verify/der.h"
#include "verify/nvidia/testing/gpu_world.h"

namespace cloister::verify::testing {
namespace {

Result<std::optional<TcbInfo>> read(const Bytes& extension, const std::string& oid = "2.23.133.5.4.1.1") {
  return read_tcb_info(
      world_certificate("leaf", "leaf", "leaf", "leaf", false, 253402300799, {{oid, false, extension}}));
}
Bytes fields(const std::vector<std::pair<std::uint8_t, Bytes>>& list) {
  Bytes out;
  for (const auto& [tag, content] : list) append(out, der_value(tag, content));
  return der_value(0x30, out);
}

TEST(TcbInfo, Fields) {
  const auto info = read(tcb_info_extension("GR100 A01 GSP"));
  ASSERT_TRUE(info && *info) << info.error().message;
  EXPECT_EQ((*info)->vendor, "NVIDIA");
  EXPECT_EQ((*info)->model, "GR100 A01 GSP");
  EXPECT_EQ((*info)->version, "00");
  EXPECT_EQ((*info)->svn, 3u);
  EXPECT_EQ((*info)->layer, 0u);
  EXPECT_EQ((*info)->type, Bytes{0});
  ASSERT_EQ((*info)->fwids.size(), 2u);
  EXPECT_EQ((*info)->fwids[0].digest, world_fwid());
  EXPECT_EQ((*info)->flags,
            (std::map<std::uint64_t, bool>{
                {0, false}, {1, true}, {2, false}, {3, false}, {4, true}, {5, true}, {6, true}, {7, true}, {8, true}}));
  EXPECT_EQ(*read_tcb_info(world_certificate("leaf", "leaf", "leaf", "leaf", false)), std::nullopt);
}

TEST(TcbInfo, AMaskSaysWhichFlagsCount) {
  const auto info = read(fields({{0x87, {4, 0x10}}, {0x8a, {3, 0x18}}}));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ((*info)->flags, (std::map<std::uint64_t, bool>{{3, true}}));
}

TEST(TcbInfo, OtherFormsAreRefused) {
  const auto refused = [](const Bytes& extension, ErrorCode code = ErrorCode::kBadCertificate) {
    const auto info = read(extension);
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code, code) << info.error().message;
  };
  refused({});
  refused({0x04, 0});
  Bytes behind = fields({{0x83, {1}}});
  behind.push_back(0);
  refused(behind);
  refused(fields({{0x83, {1}}, {0x83, {2}}}));
  refused(fields({{0x84, {1}}, {0x83, {2}}}));
  for (const Bytes& number : {Bytes{}, Bytes{0x80}, Bytes{0, 1}, Bytes(9, 1)}) refused(fields({{0x83, number}}));
  for (const Bytes& bits : {Bytes{}, Bytes{8, 0}, Bytes{1}, Bytes(6, 0)}) refused(fields({{0x87, bits}}));
  refused(fields({{0xa6, {}}}));
  refused(fields({{0xa6, der_value(0x30, {0x06, 1, 1})}}));
  refused(fields({{0xab, {}}}), ErrorCode::kUnsupported);
  EXPECT_EQ(read(fields({}), "2.23.133.5.4.5").error().code, ErrorCode::kUnsupported);
  const Bytes good = tcb_info_extension("GR100 A01 GSP");
  for (std::size_t size = 0; size < good.size(); ++size)
    refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
}

TEST(Oid, Arcs) {
  EXPECT_EQ(dotted_oid(oid_arcs(*from_hex("2b06010401ac478a14"))), "1.3.6.1.4.1.5703.1300");
  EXPECT_EQ(dotted_oid(oid_arcs(*from_hex("672a8637"))), "2.23.42.823");
  EXPECT_EQ(dotted_oid(oid_arcs(*from_hex("8837"))), "2.999");
  EXPECT_TRUE(oid_arcs(*from_hex("2b80")).empty());
  EXPECT_TRUE(oid_arcs(*from_hex("2b8001")).empty());
  EXPECT_TRUE(oid_arcs(*from_hex("2bffffffffffffffffffff7f")).empty());
  EXPECT_TRUE(oid_arcs({}).empty());
}

}  // namespace
}  // namespace cloister::verify::testing
