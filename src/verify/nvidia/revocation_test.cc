// Answers about the certificates of devices and manifests of our own.
#include "verify/nvidia/revocation.h"

#include <gtest/gtest.h>

#include "verify/nvidia/testing/worlds.h"

namespace cloister::verify::testing {
namespace {

TEST(GpuRevocation, MissingAnswersAreSkippedUnlessNotRequired) {
  GpuWorld world = one_gpu();
  world.collateral.ocsp_responses.clear();
  expect_missing(world, {"nvidia.gpu.0.revocation.device", "nvidia.gpu.0.revocation.driver_rim",
                         "nvidia.gpu.0.revocation.vbios_rim"});
  world.policy.nvidia.require_revocation = false;
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.revocation.device")->state, State::kNotApplicable);
  world.policy.nvidia.require_revocation = true;
  world.collateral.ocsp_responses = {{0x30}};
  EXPECT_NE(said(world.judge(), "nvidia.gpu.0.revocation.device").find("could not be read"), std::string::npos);
}

// The device's leaf, which the device itself issued, has no responder.
TEST(GpuRevocation, EveryCertificateThatHasAResponderNeedsAnAnswer) {
  for (std::size_t left_out = 0; left_out < 6; ++left_out) {
    GpuWorld world = one_gpu();
    auto& responses = world.collateral.ocsp_responses;
    ASSERT_EQ(responses.size(), 6u);
    responses.erase(responses.begin() + static_cast<std::ptrdiff_t>(left_out));
    const Ids device = {"nvidia.gpu.0.revocation.device"};
    const Ids rims = {"nvidia.gpu.0.revocation.driver_rim", "nvidia.gpu.0.revocation.vbios_rim"};
    expect_missing(world, left_out < 3 ? device : rims);
  }
}

TEST(GpuRevocation, EachStatus) {
  struct Case {
    crypto::OcspStatus status;
    std::string said;
  };
  for (const Case& test :
       {Case{crypto::OcspStatus::kRevoked, "good|revoked"}, Case{crypto::OcspStatus::kOnHold, "good|certificate hold"},
        Case{crypto::OcspStatus::kUnknown, "good|unknown"}}) {
    for (const std::string at : {"gpu 0", "NVIDIA GH100 Identity"}) {
      GpuWorld world = one_gpu();
      world.edit_ocsp([&](const std::string& label, crypto::OcspResponseSpec& spec) {
        if (label == at) spec.status = test.status;
      });
      expect_failing(world, {"nvidia.gpu.0.revocation.device"}, test.said);
      // Requiring less, or adding an older good answer, does not help.
      world.policy.nvidia.require_revocation = false;
      for (const Bytes& good : one_gpu().collateral.ocsp_responses) {
        world.collateral.ocsp_responses.insert(world.collateral.ocsp_responses.begin(), good);
      }
      expect_failing(world, {"nvidia.gpu.0.revocation.device"}, test.said);
    }
  }
}

TEST(GpuRevocation, AHoldMayBeAllowed) {
  GpuWorld world = one_gpu();
  world.edit_ocsp([](const std::string& label, crypto::OcspResponseSpec& spec) {
    if (label == "gpu 0") spec.status = crypto::OcspStatus::kOnHold;
  });
  world.policy.nvidia.allow_certificate_hold = true;
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.revocation.device").find("on hold"), std::string::npos);
}

TEST(GpuRevocation, OldAnswersAndAnswersOfTheFuture) {
  const auto with = [](UnixSeconds this_update, std::optional<UnixSeconds> next_update) {
    GpuWorld world = one_gpu();
    world.edit_ocsp([&](const std::string&, crypto::OcspResponseSpec& spec) {
      spec.this_update = this_update;
      spec.next_update = next_update;
    });
    return world;
  };
  const Ids all = {"nvidia.gpu.0.revocation.device", "nvidia.gpu.0.revocation.driver_rim",
                   "nvidia.gpu.0.revocation.vbios_rim"};
  constexpr UnixSeconds kDay = 86400;
  EXPECT_EQ(failing(with(kWorldTime - 10, kWorldTime).judge()), all);
  EXPECT_EQ(failing(with(kWorldTime + 1, kWorldTime + 10).judge()), all);
  EXPECT_EQ(failing(with(kWorldTime - kDay - 1, std::nullopt).judge()), all);
  EXPECT_EQ(failing(with(kWorldTime - kDay, std::nullopt).judge()), Ids{});
  // Bundled answers expire even where they claim to be valid for longer.
  GpuWorld bundled = with(kWorldTime - 2 * kDay, kWorldTime + kDay);
  EXPECT_EQ(failing(bundled.judge()), all);
  bundled.policy.nvidia.max_ocsp_age_hours = 48;
  EXPECT_EQ(bundled.judge().outcome(), Outcome::kAccepted);
}

TEST(GpuRevocation, AnOutdatedAnswerIsNoneWhereRevocationIsNotRequired) {
  const auto with = [](crypto::OcspStatus status, UnixSeconds this_update) {
    GpuWorld world = one_gpu();
    world.policy.nvidia.require_revocation = false;
    world.edit_ocsp([&](const std::string&, crypto::OcspResponseSpec& spec) {
      spec.status = status;
      spec.this_update = this_update;
      spec.next_update = this_update + 100;
    });
    return world.judge();
  };
  for (const UnixSeconds when : {kWorldTime - 1000000, kWorldTime + 1}) {
    const Verdict verdict = with(crypto::OcspStatus::kGood, when);
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
    EXPECT_EQ(verdict.find("nvidia.gpu.0.revocation.device")->state, State::kNotApplicable);
    EXPECT_NE(said(verdict, "nvidia.gpu.0.revocation.device").find("judged at"), std::string::npos);
    EXPECT_EQ(with(crypto::OcspStatus::kOnHold, when).outcome(), Outcome::kAccepted);
  }
  // A revocation does not expire. One that was made later did not hold then.
  EXPECT_EQ(with(crypto::OcspStatus::kRevoked, kWorldTime - 1000000).outcome(), Outcome::kRejected);
  EXPECT_EQ(with(crypto::OcspStatus::kRevoked, kWorldTime + 1).outcome(), Outcome::kAccepted);
}

TEST(GpuRevocation, OurOwnRequestsMustBeAnsweredWithTheirNonce) {
  GpuWorld world = one_gpu();
  world.collateral.ocsp_nonces = {Bytes(32, 1), Bytes(32, 2)};
  const auto answer_with = [&](const Bytes& nonce) {
    world.edit_ocsp([&](const std::string&, crypto::OcspResponseSpec& spec) {
      spec.nonce = nonce;
      spec.this_update = kWorldTime - 2 * 86400;  // live answers are valid as long as their window says
    });
  };
  answer_with(Bytes(32, 2));
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted) << to_text(world.judge(), false);
  answer_with(Bytes(32, 3));
  EXPECT_EQ(failing(world.judge()).size(), 3u);
  answer_with({});
  EXPECT_EQ(failing(world.judge()).size(), 3u);
}

TEST(GpuRevocation, AFloodOfAnswersIsRefused) {
  GpuWorld world = one_gpu();
  const Bytes first = world.collateral.ocsp_responses[0];
  world.collateral.ocsp_responses.insert(world.collateral.ocsp_responses.end(), 7, first);
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted);
  world.collateral.ocsp_responses.push_back(first);
  expect_failing(world, {"nvidia.gpu.0.revocation.device"}, "more than 8");
}

TEST(GpuRevocation, SignedByAStranger) {
  GpuWorld world = one_gpu();
  world.collateral.ocsp_responses.clear();
  WorldChain strange = world.chains[0];
  for (std::size_t i = 1; i < strange.labels.size(); ++i) strange.labels[i] = "stranger";
  add_ocsp(rim_chain(), world.collateral.ocsp_responses);
  for (std::size_t i = 0; i < 4; ++i) {
    const Certificate issuer = strange.certificates[i + 1];
    crypto::OcspResponseSpec spec;
    spec.this_update = kWorldTime - 1;
    const Certificate forged = world_certificate(issuer.subject_common_name(), "stranger", "x", "stranger", true);
    world.collateral.ocsp_responses.push_back(
        *crypto::make_ocsp_response(spec, strange.certificates[i], issuer, forged, world_key("stranger")));
  }
  expect_failing(world, {"nvidia.gpu.0.revocation.device"}, "invalid");
}

}  // namespace
}  // namespace cloister::verify::testing
