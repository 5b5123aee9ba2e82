// Manifests and devices of our own: each change fails its own check. corim_checks_test.cc tests manifests in the CoRIM format.
#include "verify/nvidia/rim_checks.h"

#include <gtest/gtest.h>

#include "codec/cose.h"
#include "verify/nvidia/testing/worlds.h"

namespace cloister::verify::testing {
namespace {

TEST(GpuRim, MissingOnesAreSkippedAndRequired) {
  GpuWorld world = one_gpu();
  world.collateral.rims.erase(kDriverId);
  Ids expected = {"nvidia.gpu.0.rim.conflict", "nvidia.gpu.0.revocation.driver_rim"};
  for (const char* check : {"available", "form", "signature", "chain", "arch", "version", "measurements", "svn"}) {
    expected.insert(std::string("nvidia.gpu.0.rim.driver.") + check);
  }
  expect_missing(world, expected);
  EXPECT_NE(said(world.judge(), "nvidia.gpu.0.rim.driver.available").find(kDriverId), std::string::npos);
  EXPECT_EQ(world.judge().find("nvidia.gpu.0.rim.vbios.measurements")->state, State::kPass);
}

// A manifest in CBOR, signed as NVIDIA signs its CoRIMs: `members` are further members of the map, as hex.
std::string signed_corim(const WorldChain& chain = rim_chain(), const std::string& members = "",
                         bool with_root = true) {
  std::vector<Bytes> certificates;
  for (const Certificate& certificate : chain.certificates) certificates.push_back(certificate.der());
  if (!with_root) certificates.pop_back();
  const std::string tag = "a201a1006374616704a1008182a100a101664e564944494181a2000301a10281820742aabb";
  const std::string head = members.empty() ? "d901f5a2" : "d901f5a3";
  const Bytes payload = *from_hex(head + "00686d616e69666573740181d901fa5825" + tag + members);
  const Bytes signature = world_key(chain.labels[0]).sign(codec::cose_signed_bytes(certificates, payload));
  return std::string(as_text(codec::write_cose_sign1(certificates, payload, signature)));
}

TEST(GpuRim, ACorimIsVerifiedAsAManifestInXmlIs) {
  GpuWorld world = one_gpu();
  for (const bool with_root : {true, false}) {
    world.collateral.rims[kVbiosId] = signed_corim(rim_chain(), "", with_root);
    const Verdict verdict = world.judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
    EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
    for (const char* check : {"available", "form", "signature", "chain"}) {
      EXPECT_EQ(verdict.find(std::string("nvidia.gpu.0.rim.vbios.") + check)->state, State::kPass) << check;
    }
    EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.vbios.measurements").find("does not say what"), std::string::npos);
    EXPECT_TRUE(verdict.find("nvidia.gpu.0.rim.vbios.measurements")->required);
  }
  // {4: {1: 1(time)}}: no longer valid.
  world.collateral.rims[kVbiosId] = signed_corim(rim_chain(), "04a101c11a60000000");
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.chain"}) << to_text(world.judge(), false);
  // {2: []}: dependent manifests are unsupported.
  world.collateral.rims[kVbiosId] = signed_corim(rim_chain(), "0280");
  EXPECT_EQ(failing(world.judge()), Ids{});
  EXPECT_NE(said(world.judge(), "nvidia.gpu.0.rim.vbios.form").find("not supported"), std::string::npos);
  // Changed, signed by somebody else under the same names, and not signed at all.
  std::string changed = signed_corim();
  changed[changed.find("manifest")] = 'M';
  world.collateral.rims[kVbiosId] = changed;
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.signature"});
  WorldChain strange = rim_chain();
  strange.certificates[3] = world_certificate("World RIM Root", "stranger", "World RIM Root", "stranger", true);
  world.collateral.rims[kVbiosId] = signed_corim(strange);
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.chain"});
  world.collateral.rims[kVbiosId] = "\xd9\x01\xf5\xa0";
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.form"});
}

TEST(GpuRim, FormAndSignature) {
  GpuWorld world = one_gpu();
  world.collateral.rims[kVbiosId] = "<a/>";
  expect_failing(world, {"nvidia.gpu.0.rim.vbios.form"});
  world = one_gpu();
  std::string& text = world.collateral.rims[kVbiosId];
  text.replace(text.find("tagId=\"world\""), 13, "tagId=\"earth\"");
  expect_failing(world, {"nvidia.gpu.0.rim.vbios.signature"}, "changed after");
  EXPECT_EQ(world.judge().find("nvidia.gpu.0.rim.vbios.measurements")->state, State::kSkipped);
  world = one_gpu();
  WorldRim twice = vbios_rim();
  twice.extra = "<Payload/>";
  world.edit_rim(kVbiosId, twice);
  expect_failing(world, {"nvidia.gpu.0.rim.vbios.form"}, "more than one Payload");
}

TEST(GpuRim, TheSignersChain) {
  // Signed correctly, but under somebody else's root.
  GpuWorld world = one_gpu();
  WorldChain strange = rim_chain();
  strange.certificates[3] = world_certificate("World RIM Root", "strange root", "World RIM Root", "strange root", true);
  strange.certificates[2] = world_certificate("World RIM L2", "rim l2", "World RIM Root", "strange root", true);
  world.collateral.rims[kDriverId] = signed_rim(driver_rim(), strange);
  expect_failing(world, {"nvidia.gpu.0.rim.driver.chain"}, "not the pinned root");
  // Certificates are left out.
  world = one_gpu();
  WorldChain cut = rim_chain();
  cut.certificates.erase(cut.certificates.begin() + 1);
  world.collateral.rims[kDriverId] = signed_rim(driver_rim(), cut);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.chain"));
}

TEST(GpuRim, AnExpiredSignerNeedsThePolicysLeave) {
  GpuWorld world = one_gpu();
  const WorldChain expired = rim_chain(kWorldTime - 5);
  world.collateral.rims[kDriverId] = signed_rim(driver_rim(), expired);
  add_ocsp(expired, world.collateral.ocsp_responses);
  expect_failing(world, {"nvidia.gpu.0.rim.driver.chain"}, "valid until");
  world.policy.nvidia.allow_expired_rim_signer = true;
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.driver.chain").find("expired"), std::string::npos);
  // A certificate that is not yet valid is another case.
  world.time = 1500000000;
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.driver.chain"));
}

TEST(GpuRim, VersionAndArchitecture) {
  GpuWorld world = one_gpu();
  WorldRim rim = driver_rim();
  rim.version = "570.11";
  world.edit_rim(kDriverId, rim);
  expect_failing(world, {"nvidia.gpu.0.rim.driver.version"}, "570.10|570.11");
  rim = driver_rim();
  rim.product = "GB100";
  world.edit_rim(kDriverId, rim);
  expect_failing(world, {"nvidia.gpu.0.rim.driver.arch"}, "HOPPER|GB100");
}

TEST(GpuRim, MismatchesAreListedWithTheirSource) {
  GpuWorld world = one_gpu();
  WorldRim rim = driver_rim();
  rim.active[22] = {Bytes(48, 0x99)};
  rim.active[40] = {Bytes(48, 0x99)};
  world.edit_rim(kDriverId, rim);
  WorldRim vbios = vbios_rim();
  vbios.active[9] = {Bytes(48, 0x99)};
  world.edit_rim(kVbiosId, vbios);
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), (Ids{"nvidia.gpu.0.rim.driver.measurements", "nvidia.gpu.0.rim.vbios.measurements"}));
  EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.driver.measurements").find("2 of 21 measurements differ"),
            std::string::npos);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.driver.measurements").find("indices 22, 40"), std::string::npos);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.vbios.measurements").find("warm reboot"), std::string::npos);
  const Json expected =
      Json::parse(R"([{"index":22,"source":"driver"},{"index":40,"source":"driver"},{"index":9,"source":"vbios"}])");
  EXPECT_EQ(verdict.facts["gpus"][0]["mismatches"], expected);
}

TEST(GpuRim, NoActiveEntryAndConflicts) {
  GpuWorld world = one_gpu();
  WorldRim rim = driver_rim();
  rim.active.clear();
  world.edit_rim(kDriverId, rim);
  expect_failing(world, {"nvidia.gpu.0.rim.driver.measurements"}, "no active entry");
  rim = driver_rim();
  rim.active[9] = {world_measurement(10)};
  world.edit_rim(kDriverId, rim);
  expect_failing(world, {"nvidia.gpu.0.rim.conflict"}, "indices 9");
}

// A manifest's minimum for the microcode of the FSP, field 37 of the opaque data.
std::string floor_of(const std::string& least, const std::string& name = "FSP_UCODE_MIN_SVN",
                     const std::string& index = "4133") {
  return "<Resource type=\"Measurement\" index=\"" + index + "\" active=\"True\" name=\"" + name + "\" o:minSvn=\"" +
         least + "\" o:includeInResult=\"True\"/>";
}

GpuWorld with_floor(const std::string& floor, const std::function<void(SpdmReport&)>& change) {
  GpuWorld world = one_gpu();
  WorldRim rim = driver_rim();
  rim.floors = floor;
  world.edit_rim(kDriverId, rim);
  world.edit_report(0, [&](SpdmReport& report) {
    report.opaque_version = codec::OpaqueVersion{2, 0, 0};
    report.opaque[37] = {5, 0};
    report.opaque_value_types[37] = 0x87;
    change(report);
  });
  return world;
}

TEST(GpuRim, FloorsUnderSecurityVersionNumbers) {
  const auto keep = [](SpdmReport&) {};
  for (const char* least : {"0", "4", "5"}) {
    const Verdict verdict = with_floor(floor_of(least), keep).judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
    EXPECT_EQ(verdict.find("nvidia.gpu.0.rim.driver.svn")->state, State::kPass);
    EXPECT_EQ(verdict.find("nvidia.gpu.0.rim.vbios.svn")->state, State::kNotApplicable);
    EXPECT_EQ(verdict.facts["gpus"][0]["fsp_svn"], 5);
  }
  const Ids below = {"nvidia.gpu.0.rim.driver.svn"};
  for (const char* least : {"6", "18446744073709551615"}) {
    expect_failing(with_floor(floor_of(least), keep), below, "got 5");
  }
  // No usable number: absent, of another value type, in the legacy form, or too long.
  expect_failing(with_floor(floor_of("0"),
                            [](SpdmReport& r) {
                              r.opaque.erase(37);
                              r.opaque_value_types.erase(37);
                            }),
                 below, "got none");
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque_value_types[37] = 0x86; }), below, "got none");
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque_version.reset(); }), below, "got none");
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque[37] = Bytes(9, 0); }), below, "got none");
  const GpuWorld wide = with_floor(floor_of("256"), [](SpdmReport& r) { r.opaque[37] = {0, 1, 0, 0, 0, 0, 0, 1}; });
  EXPECT_EQ(failing(wide.judge()), Ids{});
  // Both manifests set a minimum for the same field.
  GpuWorld world = with_floor(floor_of("5"), keep);
  WorldRim vbios = vbios_rim();
  vbios.floors = floor_of("1", "OTHER");
  world.edit_rim(kVbiosId, vbios);
  expect_failing(world, {"nvidia.gpu.0.rim.conflict"}, "4133");
  vbios.floors = floor_of("1", "FSP_UCODE_MIN_SVN", "4136");
  world.edit_rim(kVbiosId, vbios);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.conflict"));
}

}  // namespace
}  // namespace cloister::verify::testing
