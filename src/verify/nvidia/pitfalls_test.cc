// One test for each pitfall of GPU evidence that earlier verifiers fell into;
// the numbers are those of docs/pitfalls.md.
#include <gtest/gtest.h>

#include "base/testing/vectors.h"
#include "verify/gpu.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

const GpuWorld& good() {
  static const GpuWorld made(2);
  return made;
}

TEST(Pitfall26, TheNonceIsTheOneInTheSignedRequestNotTheOneBeside) {
  GpuWorld world = good();
  world.edit_report(1, [](SpdmReport& report) { report.request_nonce.fill(1); });
  // The list still states the right nonce.
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.1.nonce"});
}

TEST(Pitfall27, OneReportRepeatedOrOneDeviceAskedTwice) {
  GpuWorld world = good();
  world.payload.evidence_list[1] = world.payload.evidence_list[0];
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.duplicates"});
  world = good();
  world.chains[1] = world.chains[0];
  world.edit_report(1, [](SpdmReport& report) { report.responder_nonce.fill(9); });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.duplicates"});
  // Another key of the same device, and another device's report with the same responder nonce.
  world = good();
  world.edit_report(1, [&](SpdmReport& report) {
    report.responder_nonce = codec::parse_spdm_report(good().payload.evidence_list[0].report)->responder_nonce;
  });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.duplicates"});
}

TEST(Pitfall28, DefaultNoncesOfVendorToolsAreRefused) {
  for (const char* known : {"931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb",
                            "4cff7f5380ead8fad8ec2c531c110aca4302a88f603792801a8ca29ee151af2e"}) {
    GpuWorld world = good();
    world.nonce = *from_hex_exactly<32>(known);
    world.payload.nonce_hex = known;
    for (std::size_t i = 0; i < 2; ++i) {
      world.edit_report(i, [&](SpdmReport& report) { report.request_nonce = world.nonce; });
    }
    EXPECT_EQ(failing(world.judge()), Ids{"nvidia.known_nonce"});
    // The same holds without a nonce of one's own.
    EXPECT_EQ(failing(world.judge(false)), Ids{"nvidia.known_nonce"});
  }
}

TEST(Pitfall29, UnreachableOrUnknownIsNotGoodAndHoldsAreNotTolerated) {
  GpuWorld world = good();
  world.collateral.ocsp_responses.clear();
  EXPECT_EQ(world.judge().outcome(), Outcome::kUndetermined);
  // "try later"
  world.collateral.ocsp_responses = {{0x30, 0x03, 0x0a, 0x01, 0x03}};
  EXPECT_EQ(world.judge().outcome(), Outcome::kUndetermined);
  for (const crypto::OcspStatus status : {crypto::OcspStatus::kUnknown, crypto::OcspStatus::kOnHold}) {
    world = good();
    world.edit_ocsp([&](const std::string& label, crypto::OcspResponseSpec& spec) {
      if (label == "rim l3") spec.status = status;
    });
    EXPECT_EQ(world.judge().outcome(), Outcome::kRejected);
    EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.revocation.driver_rim"));
  }
}

TEST(Pitfall30, UnverifiedTreesWrappingAndEntities) {
  // The manifest that fits, unsigned, around the signed one that does not.
  GpuWorld world = good();
  WorldRim other = driver_rim();
  other.active[22] = {Bytes(48, 0x99)};
  const std::string signed_text = signed_rim(other);
  const std::string inner = signed_text.substr(signed_text.find("<SoftwareIdentity"));
  std::string fitting = rim_xml(driver_rim());
  fitting.insert(fitting.rfind("</"), inner);
  world.collateral.rims[kDriverId] = fitting;
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.form"));
  // Moves the signature to the fitting one.
  const std::size_t from = signed_text.find("<ds:Signature "), to = signed_text.find("</ds:Signature>") + 15;
  fitting = rim_xml(driver_rim());
  fitting.insert(fitting.rfind("</"), signed_text.substr(from, to - from));
  world.collateral.rims[kDriverId] = fitting;
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.signature"));
  EXPECT_EQ(world.judge().find("nvidia.gpu.0.rim.driver.measurements")->state, State::kSkipped);
  // An entity expansion bomb.
  std::string bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "\">";
  }
  world.collateral.rims[kDriverId] = bomb + "]><x>&j;</x>";
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.form"));
}

TEST(Pitfall31, TheManifestIsChosenByTheSignedReport) {
  GpuWorld world = good();
  // A manifest under the name that unsigned hints give is not used.
  world.collateral.rims["NV_GPU_DRIVER_GH100_999.1"] = world.collateral.rims[kDriverId];
  world.collateral.rims.erase(kDriverId);
  for (auto& device : world.payload.evidence_list) device.driver_version = "999.1";
  const Verdict verdict = world.judge();
  EXPECT_TRUE(missing(verdict).contains("nvidia.gpu.0.rim.driver.available"));
  EXPECT_EQ(failing(verdict), (Ids{"nvidia.gpu.0.hints", "nvidia.gpu.1.hints"}));
}

TEST(Pitfall32, AlternativesAndTheIndexThatIsOneOff) {
  // The manifest of the world has an alternative at 23, and each index is one below the measurement's.
  EXPECT_EQ(good().judge().outcome(), Outcome::kAccepted);
  GpuWorld world = good();
  WorldRim rim = driver_rim();
  rim.active[23] = {Bytes(48, 0xee), Bytes(48, 0xef)};
  world.edit_rim(kDriverId, rim);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.measurements"));
  rim = driver_rim();
  rim.active[30] = {world_measurement(30)};  // the value at its own index
  world.edit_rim(kDriverId, rim);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.measurements"));
}

GpuWorld with_token(const std::function<void(WorldToken&)>& change) {
  GpuWorld world = good();
  WorldToken token(world, {ueid(world.chains[0].certificates), ueid(world.chains[1].certificates)});
  change(token);
  world.collateral.nras_token = token.text();
  world.collateral.nras_jwks = world_jwks();
  world.collateral.nras_jwks_live = true;
  world.policy.nvidia.require_nras = true;
  return world;
}

TEST(Pitfall33, TokensAreVerifiedWithTheirSubmodulesAndOneAlgorithm) {
  EXPECT_EQ(with_token([](WorldToken&) {}).judge().outcome(), Outcome::kAccepted);
  GpuWorld world = with_token([](WorldToken& token) { token.parts["GPU-1"]["eat_nonce"] = std::string(64, '1'); });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.nras.nonce"});
  world = with_token([](WorldToken& token) { token.overall["submods"] = Json::object(); });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.nras.digests"});
  // Algorithm none, and HS384 keyed with the public key's text.
  for (const char* algorithm : {"none", "HS384"}) {
    world = with_token([](WorldToken&) {});
    Json token = Json::parse(world.collateral.nras_token);
    token[0][1] = world_jwt({{"sub", "x"}}, "nras key", {{"kid", "world"}, {"alg", algorithm}});
    world.collateral.nras_token = token.dump();
    EXPECT_EQ(failing(world.judge()), Ids{"nvidia.nras.form"});
  }
}

TEST(Pitfall34, AnOverallResultDoesNotHideAMissingGpu) {
  const GpuWorld world = with_token([](WorldToken& token) { token.parts.erase("GPU-1"); });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.nras.devices"});
}

TEST(Pitfall35, DebugModeIsRejectedByMeasurementsAndByTheToken) {
  GpuWorld world = with_token([](WorldToken& token) { token.parts["GPU-0"]["dbgstat"] = "enabled"; });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.nras.result"});
  // What a device in another mode measures is in no manifest.
  world = good();
  world.edit_report(0, [](SpdmReport& report) { report.measurements[32].value.assign(48, 0xdb); });
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.driver.measurements"});
}

}  // namespace
}  // namespace cloister::verify::testing
