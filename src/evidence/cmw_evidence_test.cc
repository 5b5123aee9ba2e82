#include "evidence/cmw_evidence.h"

#include <gtest/gtest.h>

#include <functional>

#include "evidence/gpu_evidence.h"

namespace cloister::evidence {
namespace {

// 32 bytes of 0x01.
const std::string kNonce = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

Json collection() {
  const Json item = {{"__cmwc_t", "tag:nvidia.com,2026:evidence-item/v1"},
                     {"certificate", {"application/vnd.nvidia.pem-cert-chain", "UEVN"}},
                     {"evidence", {"application/vnd.nvidia.spdm-measurement-transcript", "EeAB_w"}},
                     {"nonce", {"application/octet-stream", kNonce}}};
  return {{"__cmwc_t", "tag:nvidia.com,2026:verifier-input/profiles/base/pre-1.0.0"},
          {"gpu_0", item},
          {"gpu_1", item},
          {"nonce", {"application/octet-stream", kNonce}}};
}

ErrorCode code_of(const Json& changed) {
  const auto read = parse_nvidia_payload(changed.dump());
  EXPECT_FALSE(read) << changed.dump();
  return read ? ErrorCode::kInternal : read.error().code;
}

TEST(CmwEvidence, IsReadAsAPayload) {
  const auto read = parse_nvidia_payload(collection().dump());
  ASSERT_TRUE(read) << read.error().message;
  std::string nonce;
  for (int i = 0; i < 32; ++i) nonce += "01";
  EXPECT_EQ(read->nonce_hex, nonce);
  EXPECT_EQ(read->arch, "");
  ASSERT_EQ(read->evidence_list.size(), 2u);
  EXPECT_EQ(read->evidence_list[1].report, (Bytes{0x11, 0xe0, 0x01, 0xff}));
  EXPECT_EQ(read->evidence_list[1].certificate_chain_pem, "PEM");
  // The form need not state a nonce: the one in the signed report counts.
  Json without = collection();
  without.erase("nonce");
  without["gpu_0"].erase("nonce");
  without["gpu_1"].erase("nonce");
  EXPECT_EQ(parse_nvidia_payload(without.dump())->nonce_hex, "");
}

TEST(CmwEvidence, OtherProfilesAndMediaTypesAreUnsupported) {
  Json changed = collection();
  changed["__cmwc_t"] = "tag:nvidia.com,2027:verifier-input/profiles/base/2.0.0";
  EXPECT_EQ(code_of(changed), ErrorCode::kUnsupported);
  for (const char* member : {"certificate", "evidence", "nonce"}) {
    changed = collection();
    changed["gpu_1"][member][0] = "application/cbor";
    EXPECT_EQ(code_of(changed), ErrorCode::kUnsupported) << member;
  }
  changed = collection();
  changed["gpu_0"]["__cmwc_t"] = "tag:nvidia.com,2026:evidence-item/v2";
  EXPECT_EQ(code_of(changed), ErrorCode::kUnsupported);
}

TEST(CmwEvidence, OtherFormsAreMalformed) {
  const auto malformed = [](const std::function<void(Json&)>& change) {
    Json changed = collection();
    change(changed);
    EXPECT_EQ(code_of(changed), ErrorCode::kBadGpuEvidence) << changed.dump();
  };
  malformed([](Json& c) { c["gpu_0"] = 7; });
  malformed([](Json& c) { c["gpu_0"].erase("evidence"); });
  malformed([](Json& c) { c["gpu_0"]["evidence"] = "EeAB_w"; });
  malformed([](Json& c) { c["gpu_0"]["evidence"][1] = "EeAB/w"; });
  malformed([](Json& c) { c["gpu_0"]["evidence"][1] = ""; });
  malformed([](Json& c) { c["gpu_0"]["certificate"][1] = "UEV"; });
  malformed([](Json& c) { c["gpu_0"]["nonce"][1] = "AQ"; });
  malformed([](Json& c) { c["gpu_0"]["nonce"][1] = std::string(42, 'A') + "E"; });
  malformed([](Json& c) {
    c.erase("gpu_0");
    c.erase("gpu_1");
  });
}

}  // namespace
}  // namespace cloister::evidence
