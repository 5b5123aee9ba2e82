// Changes every byte of a genuine report and of a genuine manifest: each change is rejected by a check that is named.
// CLOISTER_FLIP_STEP takes every n-th byte only.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/testing/vectors.h"
#include "verify/nvidia/device_checks.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

std::size_t flip_step() {
  const char* step = std::getenv("CLOISTER_FLIP_STEP");
  const long value = step == nullptr ? 1 : std::strtol(step, nullptr, 10);
  return value < 1 ? 1 : static_cast<std::size_t>(value);
}

void flip_every_byte(const evidence::GpuEvidence& genuine) {
  const Policy policy;
  const Collateral collateral;
  const Context context{policy, collateral, 1750500000};
  DeviceJudge judge(context, {}, codec::parse_spdm_report(genuine.report)->request_nonce);
  {
    Verdict verdict;
    check_device(0, genuine, judge, verdict);
    ASSERT_EQ(failing(verdict), Ids{});
  }
  for (std::size_t i = 0; i < genuine.report.size(); i += flip_step()) {
    evidence::GpuEvidence changed = genuine;
    changed.report[i] ^= 1;
    Verdict verdict;
    check_device(0, changed, judge, verdict);
    const Ids failed = failing(verdict);
    // A changed byte can also state a later version of the opaque data, which is not parsed.
    const bool unsupported = verdict.find("nvidia.gpu.0.form")->state == State::kSkipped;
    EXPECT_TRUE(failed == Ids{"nvidia.gpu.0.form"} || failed.contains("nvidia.gpu.0.signature") || unsupported)
        << "byte " << i;
    const bool in_nonce = i >= 4 && i < 36;
    EXPECT_EQ(failed.contains("nvidia.gpu.0.nonce"), in_nonce && !unsupported) << "byte " << i;
  }
}

TEST(Flips, EveryByteOfAReport) {
  const auto payload =
      evidence::parse_nvidia_payload(cloister::testing::vector_text("nvidia/evidence_hopper_1gpu.json"));
  ASSERT_TRUE(payload);
  flip_every_byte(payload->evidence_list[0]);
}

// This report is of another driver, and NVIDIA's own verifier carries it.
TEST(Flips, EveryByteOfAPublishedReport) {
  const auto files = evidence::parse_gpu_files(cloister::testing::vector_bytes("nvidia/hopper_550.90.07.report.hex"),
                                               cloister::testing::vector_bytes("nvidia/hopper_550.90.07.certs.pem"));
  ASSERT_TRUE(files) << files.error().message;
  flip_every_byte(*files);
}

// The signature covers the canonical form of everything except itself. KeyInfo, inside the signature, is covered by the
// chain to the pinned root; the base64 text of digest, signature and certificates is parsed strictly. White space and
// quotes of the markup itself are not part of the canonical form, but a changed bit there makes the text no XML any more.
TEST(Flips, EveryByteOfAManifest) {
  const std::string genuine = cloister::testing::vector_text("nvidia/rims/NV_GPU_DRIVER_GH100_550.144.03.xml");
  const Policy policy;
  crypto::VerifiedLinks cache;
  std::map<std::string, std::size_t> found_by;
  for (std::size_t i = 0; i < genuine.size(); i += flip_step()) {
    Collateral collateral;
    std::string& text = collateral.rims["x"] = genuine;
    text[i] = static_cast<char>(text[i] ^ 1);
    const Context context{policy, collateral, 1748736000};
    RimLibrary library(context, pinned_root(RootUse::kRim, RootKind::kVendor), cache);
    std::string found;
    for (const Check& check : library.find("x")->checks) {
      if (check.state == State::kFail && found.empty()) found = check.id;
    }
    EXPECT_NE(found, "") << "byte " << i << ": " << genuine.substr(i < 20 ? 0 : i - 20, 40);
    ++found_by[found];
  }
  for (const char* check : {"form", "signature", "chain"}) EXPECT_GT(found_by[check], 0u) << check;
}

}  // namespace
}  // namespace cloister::verify::testing
