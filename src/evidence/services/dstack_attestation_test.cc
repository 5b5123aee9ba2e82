#include "evidence/services/dstack_attestation.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "evidence/event_log.h"

namespace cloister::evidence {
namespace {

Bytes compact(std::string_view content) {
  const std::size_t size = content.size();
  Bytes out;
  if (size < 64) {
    out.push_back(static_cast<std::uint8_t>(size << 2));
  } else {
    out.push_back(static_cast<std::uint8_t>((size << 2 | 1) & 0xff));
    out.push_back(static_cast<std::uint8_t>(size >> 6));
  }
  append(out, as_bytes(content));
  return out;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

Bytes entry(std::uint8_t imr, std::string_view event, std::string_view payload) {
  return joined({Bytes{imr, 0, 0, 0, 1, 0, 0, 8}, compact(""), compact(event), compact(payload)});
}

Bytes version0() {
  return joined({Bytes{0, 0}, compact(std::string(100, 'q')), Bytes{2 << 2}, entry(3, "system-preparing", ""),
                 entry(3, "app-id", "abc"), Bytes{0}, Bytes(64, 7), compact("{}")});
}

TEST(DstackAttestation, VersionZeroOnTdx) {
  const auto read = parse_dstack_attestation(version0());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->snp);
  EXPECT_EQ(read->evidence, Bytes(100, 'q'));
  EXPECT_EQ(read->report_data, Bytes(64, 7));
  EXPECT_EQ(read->boot.vm_config, "{}");
  EXPECT_TRUE(read->stripped_log);
  const auto events = parse_event_log(*read->boot.event_log);
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2U);
  EXPECT_EQ(events->at(1).name, "app-id");
  EXPECT_EQ(as_text(events->at(1).payload), "abc");
}

TEST(DstackAttestation, VersionZeroOnSevSnp) {
  const auto read = parse_dstack_attestation(
      joined({Bytes{0, 3}, compact(std::string(200, 'r')), Bytes{1 << 2}, compact("certificate"),
              compact("{\"version\":3}"), Bytes{0}, Bytes(64), compact("")}));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->snp);
  EXPECT_EQ(read->evidence, Bytes(200, 'r'));
  EXPECT_EQ(read->mr_config, "{\"version\":3}");
}

TEST(DstackAttestation, VersionOneOnTdx) {
  // {"version":1,"platform":{"kind":"tdx","data":{"quote":[1,2],"event_log":[]}},"stack":{"kind":"dstack","data":{"report_data":64 zeros as
  // a binary,"config":""}}}
  const std::string hex =
      "83a776657273696f6e01a8706c6174666f726d82a46b696e64a3746478a46461746182a571756f7465920102a96576656e745f6c6f6790"
      "a5737461636b82a46b696e64a664737461636ba46461746182ab7265706f72745f64617461c440" +
      std::string(128, '0') + "a6636f6e666967a0";
  const auto read = parse_dstack_attestation(from_hex(hex).value());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->version, 1);
  EXPECT_EQ(read->evidence, (Bytes{1, 2}));
  EXPECT_FALSE(read->boot.vm_config);
}

TEST(DstackAttestation, WhatIsNotReadIsNamed) {
  const auto code = [](const Bytes& bytes) {
    const auto read = parse_dstack_attestation(bytes);
    return read ? ErrorCode::kInternal : read.error().code;
  };
  EXPECT_EQ(code(Bytes{0, 2, 0}), ErrorCode::kUnsupported);  // a Nitro enclave
  EXPECT_EQ(code(Bytes{0, 9, 0}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(Bytes{1, 0}), ErrorCode::kUnsupported);
  EXPECT_EQ(code(from_hex("81a776657273696f6e02").value()), ErrorCode::kUnsupported);
  EXPECT_EQ(code(Bytes{}), ErrorCode::kBadReport);
  EXPECT_EQ(code(from_hex("81a776657273696f6e01").value()), ErrorCode::kBadReport);
}

TEST(DstackAttestation, WhatIsCutOrLongerIsRefused) {
  const Bytes whole = version0();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_dstack_attestation(ByteView(whole).first(size))) << size;
  EXPECT_REFUSED(parse_dstack_attestation(joined({whole, Bytes{0}})), "attestation: bytes behind its end");
  // A length in a longer form than needed, and a length of four gigabytes.
  EXPECT_REFUSED(parse_dstack_attestation(joined({Bytes{0, 0, 1, 0}, whole})),
                 "attestation: a length that is not in its shortest form");
  EXPECT_REFUSED(parse_dstack_attestation(Bytes{0, 0, 3, 255, 255, 255, 255}),
                 "attestation: a length that is too large");
}

}  // namespace
}  // namespace cloister::evidence
