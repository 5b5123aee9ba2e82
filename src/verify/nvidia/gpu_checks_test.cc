// Evidence of our own under roots of our own: it is accepted, and each change fails its own check.
#include "verify/nvidia/gpu_checks.h"

#include <gtest/gtest.h>

#include "codec/cose.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

const GpuWorld& one_gpu() {
  static const GpuWorld made(1);
  return made;
}
const GpuWorld& two_gpus() {
  static const GpuWorld made(2);
  return made;
}

void expect_failing(const GpuWorld& world, const Ids& expected, const std::string& part = {}) {
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(failing(verdict), expected) << to_text(verdict, false);
  if (!part.empty() && expected.size() == 1) {
    EXPECT_NE(said(verdict, *expected.begin()).find(part), std::string::npos) << said(verdict, *expected.begin());
  }
}

void expect_missing(const GpuWorld& world, const Ids& expected) {
  const Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(missing(verdict), expected) << to_text(verdict, false);
  EXPECT_EQ(failing(verdict), Ids{});
}

TEST(Gpu, AcceptedWhenEverythingHolds) {
  for (const GpuWorld* world : {&one_gpu(), &two_gpus()}) {
    const Verdict verdict = world->judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
    EXPECT_EQ(ids(verdict, State::kSkipped), Ids{});
  }
  const Verdict verdict = one_gpu().judge();
  const Json facts = verdict.facts["gpus"][0];
  EXPECT_EQ(facts["arch"], "HOPPER");
  EXPECT_EQ(facts["model"], "GH100 A01 GSP BROM");
  EXPECT_EQ(facts["driver_version"], "570.10");
  EXPECT_EQ(facts["vbios_version"], "96.00.A5.00.01");
  EXPECT_EQ(facts["driver_rim"], kDriverId);
  EXPECT_EQ(facts["vbios_rim"], kVbiosId);
  EXPECT_EQ(facts["ueid"], ueid(one_gpu().chains[0].certificates));
  EXPECT_EQ(facts["mismatches"], Json::array());
  EXPECT_EQ(verdict.find("nvidia.gpu.0.rim.driver.measurements")->actual, "21 measurements");
}

TEST(Gpu, EveryIdIsThereWhateverHappens) {
  const Verdict accepted = one_gpu().judge();
  Ids all;
  for (const Check& check : accepted.checks) all.insert(check.id);
  // Every id of nvidia.def.
  std::size_t listed = 0;
  for (const CheckMeaning& meaning : check_list()) {
    std::string id(meaning.id);
    if (!id.starts_with("nvidia.")) continue;
    ++listed;
    if (const std::size_t at = id.find(".N."); at != std::string::npos) id.replace(at, 3, ".0.");
    EXPECT_TRUE(all.contains(id)) << id;
  }
  EXPECT_EQ(all.size(), listed);
  GpuWorld world = one_gpu();
  world.payload.evidence_list[0].report.pop_back();
  Ids of_unreadable;
  for (const Check& check : world.judge().checks) of_unreadable.insert(check.id);
  EXPECT_EQ(of_unreadable, all);
  world = one_gpu();
  world.collateral = {};
  Ids without_collateral;
  for (const Check& check : world.judge().checks) without_collateral.insert(check.id);
  EXPECT_EQ(without_collateral, all);
}

TEST(Gpu, WithoutNonceFreshnessIsSkipped) {
  GpuWorld world = one_gpu();
  Verdict verdict = world.judge(false);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(missing(verdict), (Ids{"nvidia.payload.nonce", "nvidia.gpu.0.nonce"}));
  world.policy.require_nonce = false;
  verdict = world.judge(false);
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.nonce")->state, State::kSkipped);
}

TEST(Gpu, UnreadableEvidenceFailsItsForm) {
  GpuWorld world = one_gpu();
  world.payload.evidence_list[0].report.pop_back();
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.form"});
  world = one_gpu();
  std::string& pem = world.payload.evidence_list[0].certificate_chain_pem;
  pem.erase(pem.rfind("-----BEGIN"));
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.form"});
  world = one_gpu();
  world.payload.evidence_list.clear();
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.payload.form"});
}

// ---- policy ----

TEST(GpuPolicy, ArchitectureCountAndFloors) {
  GpuWorld world = one_gpu();
  world.policy.nvidia.architectures = {"BLACKWELL"};
  expect_failing(world, {"nvidia.gpu.0.allowed_arch"}, "BLACKWELL");
  world = one_gpu();
  world.policy.nvidia.gpu_count = 2;
  expect_failing(world, {"nvidia.gpu_count"}, "|2|1");
  world.policy.nvidia.gpu_count = 1;
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted);
  for (const auto& [least, good] : std::vector<std::pair<std::string, bool>>{{"550.90.07", true},
                                                                             {"570.10", true},
                                                                             {"570.10.0", true},
                                                                             {"570.10.1", false},
                                                                             {"580", false},
                                                                             {"x", false}}) {
    world = one_gpu();
    world.policy.nvidia.min_driver_version = least;
    EXPECT_EQ(failing(world.judge()), good ? Ids{} : Ids{"nvidia.gpu.0.min_driver"}) << least;
  }
  for (const auto& [least, good] : std::vector<std::pair<std::string, bool>>{
           {"96.00.9F.00.00", true}, {"96.00.a5.00.01", true}, {"96.00.A5.00.02", false}, {"97.00", false}}) {
    world = one_gpu();
    world.policy.nvidia.min_vbios_version = least;
    EXPECT_EQ(failing(world.judge()), good ? Ids{} : Ids{"nvidia.gpu.0.min_vbios"}) << least;
  }
}

Verdict judge_none(GpuRequirement required) {
  Policy policy;
  policy.nvidia.required = required;
  Verdict verdict;
  judge_gpu_payload(std::nullopt, {}, {policy, {}, kWorldTime}, verdict);
  return verdict;
}

TEST(GpuPolicy, AReportWithoutGpu) {
  Verdict verdict = judge_none(GpuRequirement::kWhenPresent);
  EXPECT_EQ(failing(verdict), Ids{});
  EXPECT_EQ(missing(verdict), Ids{});
  EXPECT_EQ(ids(verdict, State::kPass), Ids{});
  EXPECT_EQ(verdict.facts["gpu"], false);
  verdict = judge_none(GpuRequirement::kAlways);
  EXPECT_EQ(failing(verdict), Ids{"nvidia.required"});
  EXPECT_EQ(ids(judge_none(GpuRequirement::kNever), State::kPass), Ids{});
}

TEST(GpuPolicy, AlwaysAndNeverWithAGpu) {
  GpuWorld world = one_gpu();
  world.policy.nvidia.required = GpuRequirement::kAlways;
  Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted);
  EXPECT_EQ(verdict.find("nvidia.required")->state, State::kPass);
  world.payload.evidence_list[0].report.clear();
  world.policy.nvidia.required = GpuRequirement::kNever;
  verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{});
  EXPECT_EQ(ids(verdict, State::kPass), Ids{});
  EXPECT_EQ(verdict.find("nvidia.gpu.0.form"), nullptr);
}

TEST(GpuPolicy, FirmwareDigest) {
  const auto without = [](SpdmReport& report) { report.opaque.erase(static_cast<std::uint16_t>(OpaqueField::kFwid)); };
  GpuWorld world = one_gpu();
  world.edit_report(0, without);
  expect_failing(world, {"nvidia.gpu.0.fwid"});
  world.policy.nvidia.require_fwid = false;
  Verdict verdict = world.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.fwid")->state, State::kSkipped);
  world = one_gpu();
  world.edit_report(0, [&](SpdmReport& report) {
    without(report);
    report.opaque[static_cast<std::uint16_t>(OpaqueField::kDriverVersion)] = zero_terminated("535.86.09");
  });
  WorldRim rim = driver_rim();
  rim.version = "535.86.09";
  world.edit_rim("NV_GPU_DRIVER_GH100_535.86.09", rim);
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted) << to_text(world.judge(), false);
  world = one_gpu();
  world.edit_report(0,
                    [](SpdmReport& report) { report.opaque[static_cast<std::uint16_t>(OpaqueField::kFwid)][0] ^= 1; });
  expect_failing(world, {"nvidia.gpu.0.fwid"});
}

TEST(Gpu, HintsMustAgree) {
  GpuWorld world = one_gpu();
  world.payload.evidence_list[0].driver_version = "570.10";
  world.payload.evidence_list[0].vbios_version = "96.00.a5.00.01";
  EXPECT_EQ(world.judge().find("nvidia.gpu.0.hints")->state, State::kPass);
  world.payload.evidence_list[0].driver_version = "580.10";
  expect_failing(world, {"nvidia.gpu.0.hints"}, "580.10|570.10");
  world.payload.evidence_list[0].driver_version = "";
  world.payload.evidence_list[0].vbios_version = "96.00.A6.00.01";
  expect_failing(world, {"nvidia.gpu.0.hints"}, "VBIOS");
}

// ---- manifests ----

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
std::string signed_corim(const WorldChain& chain = rim_chain(), const std::string& members = "", bool with_root = true) {
  std::vector<Bytes> certificates;
  for (const Certificate& certificate : chain.certificates) certificates.push_back(certificate.der());
  if (!with_root) certificates.pop_back();
  const std::string tag = "a201a1006374616704a1008182a100a101664e564944494181a2000301a10281820742aabb";
  const std::string head = members.empty() ? "d901f5a2" : "d901f5a3";
  const Bytes payload = *from_hex(head + "00686d616e69666573740181d901fa5825" + tag + members);
  const Bytes signature = world_key(chain.labels[0]).sign(codec::cose_signed_bytes(certificates, payload));
  return std::string(as_text(codec::write_cose_sign1(certificates, payload, signature)));
}

TEST(GpuRim, ACorimIsVerifiedAndNotCompared) {
  GpuWorld world = one_gpu();
  for (const bool with_root : {true, false}) {
    world.collateral.rims[kVbiosId] = signed_corim(rim_chain(), "", with_root);
    const Verdict verdict = world.judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
    EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
    for (const char* check : {"available", "form", "signature", "chain"}) {
      EXPECT_EQ(verdict.find(std::string("nvidia.gpu.0.rim.vbios.") + check)->state, State::kPass) << check;
    }
    EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.vbios.measurements").find("not compared"), std::string::npos);
    EXPECT_TRUE(verdict.find("nvidia.gpu.0.rim.vbios.measurements")->required);
  }
  // {4: {1: 1(time)}}: not valid any more.
  world.collateral.rims[kVbiosId] = signed_corim(rim_chain(), "04a101c11a60000000");
  EXPECT_EQ(failing(world.judge()), Ids{"nvidia.gpu.0.rim.vbios.chain"}) << to_text(world.judge(), false);
  // {2: []}: dependent manifests are not known.
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
  // Signed well, but under somebody else's root.
  GpuWorld world = one_gpu();
  WorldChain strange = rim_chain();
  strange.certificates[3] = world_certificate("World RIM Root", "strange root", "World RIM Root", "strange root", true);
  strange.certificates[2] = world_certificate("World RIM L2", "rim l2", "World RIM Root", "strange root", true);
  world.collateral.rims[kDriverId] = signed_rim(driver_rim(), strange);
  expect_failing(world, {"nvidia.gpu.0.rim.driver.chain"}, "not the pinned root");
  // Certificates left out.
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
  // Not yet valid is another matter.
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
  const Json expected = Json::parse(
      R"([{"index":22,"source":"driver"},{"index":40,"source":"driver"},{"index":9,"source":"vbios"}])");
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

// A manifest's floor under the microcode of the FSP, field 37 of the opaque data.
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
  // No number there: absent, of another value type, of the legacy form, or too long.
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque.erase(37); r.opaque_value_types.erase(37); }),
                 below, "got none");
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque_value_types[37] = 0x86; }), below, "got none");
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque_version.reset(); }), below, "got none");
  expect_failing(with_floor(floor_of("0"), [](SpdmReport& r) { r.opaque[37] = Bytes(9, 0); }), below, "got none");
  const GpuWorld wide = with_floor(floor_of("256"), [](SpdmReport& r) { r.opaque[37] = {0, 1, 0, 0, 0, 0, 0, 1}; });
  EXPECT_EQ(failing(wide.judge()), Ids{});
  // Both manifests set one under the same field.
  GpuWorld world = with_floor(floor_of("5"), keep);
  WorldRim vbios = vbios_rim();
  vbios.floors = floor_of("1", "OTHER");
  world.edit_rim(kVbiosId, vbios);
  expect_failing(world, {"nvidia.gpu.0.rim.conflict"}, "4133");
  vbios.floors = floor_of("1", "FSP_UCODE_MIN_SVN", "4136");
  world.edit_rim(kVbiosId, vbios);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.rim.conflict"));
}

// A newer form is not a wrong one: the verdict is undetermined, and says so.
TEST(GpuForm, ANewerVersionOfTheOpaqueDataIsUnsupported) {
  GpuWorld world = one_gpu();
  world.edit_report(0, [](SpdmReport& report) { report.opaque_version = codec::OpaqueVersion{3, 0, 0}; });
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.form")->state, State::kSkipped);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.form").find("version 3.0 is not supported"), std::string::npos);
}

// Evidence of the other processors that NVIDIA certifies: nothing here knows what it must say.
TEST(GpuForm, AnFspAndAVeraCpuAreUnsupported) {
  for (const std::string name : {"GB100 A01 FSP BROM", "Caliptra 1.0 LDevID"}) {
    GpuWorld world = one_gpu();
    std::string& pem = world.payload.evidence_list[0].certificate_chain_pem;
    pem = world_certificate("leaf", "leaf", name, "device", false).to_pem() +
          world_certificate(name, "device", "x", "x", true).to_pem();
    const Verdict verdict = world.judge();
    EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
    EXPECT_NE(said(verdict, "nvidia.gpu.0.form").find("not supported"), std::string::npos);
  }
}

// ---- revocation ----

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
  for (const Case& test : {Case{crypto::OcspStatus::kRevoked, "good|revoked"},
                           Case{crypto::OcspStatus::kOnHold, "good|certificate hold"},
                           Case{crypto::OcspStatus::kUnknown, "good|unknown"}}) {
    for (const std::string at : {"gpu 0", "NVIDIA GH100 Identity"}) {
      GpuWorld world = one_gpu();
      world.edit_ocsp([&](const std::string& label, crypto::OcspResponseSpec& spec) {
        if (label == at) spec.status = test.status;
      });
      expect_failing(world, {"nvidia.gpu.0.revocation.device"}, test.said);
      // Not to be had by asking for less, or by an older good answer beside it.
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
  // Bundled answers grow old even where they claim to be good for longer.
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
  // A revocation does not grow old. One that was made later did not hold then.
  EXPECT_EQ(with(crypto::OcspStatus::kRevoked, kWorldTime - 1000000).outcome(), Outcome::kRejected);
  EXPECT_EQ(with(crypto::OcspStatus::kRevoked, kWorldTime + 1).outcome(), Outcome::kAccepted);
}

TEST(GpuRevocation, OurOwnRequestsMustBeAnsweredWithTheirNonce) {
  GpuWorld world = one_gpu();
  world.collateral.ocsp_nonces = {Bytes(32, 1), Bytes(32, 2)};
  const auto answer_with = [&](const Bytes& nonce) {
    world.edit_ocsp([&](const std::string&, crypto::OcspResponseSpec& spec) {
      spec.nonce = nonce;
      spec.this_update = kWorldTime - 2 * 86400;  // live answers are as good as their window says
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
    world.collateral.ocsp_responses.push_back(*crypto::make_ocsp_response(
        spec, strange.certificates[i], issuer, forged, world_key("stranger")));
  }
  expect_failing(world, {"nvidia.gpu.0.revocation.device"}, "invalid");
}

// ---- the set ----

TEST(GpuSet, SharedCertificatesAreVerifiedOnce) {
  // Two devices of one make, with everything: accepted twice with the same outcome, whatever the cache holds.
  EXPECT_EQ(two_gpus().judge().outcome(), Outcome::kAccepted);
  GpuWorld world = two_gpus();
  world.payload.evidence_list[1].certificate_chain_pem = world.payload.evidence_list[0].certificate_chain_pem;
  EXPECT_EQ(failing(world.judge()), (Ids{"nvidia.gpu.1.signature", "nvidia.duplicates"}));
}

TEST(GpuSet, BlackwellByItsOwnNames) {
  GpuWorld world = one_gpu();
  world.chains[0] = device_chain("GB100", "gpu 0");
  world.payload.arch = world.payload.evidence_list[0].arch = "BLACKWELL";
  world.edit_report(0, [](SpdmReport& report) {
    report.opaque[static_cast<std::uint16_t>(OpaqueField::kChipInfo)] = zero_terminated("GB20B");
  });
  WorldRim driver = driver_rim(), vbios = vbios_rim();
  driver.product = vbios.product = "GB100";
  world.edit_rim("NV_GPU_CC_DRIVER_GB20B_570.10", driver);
  world.edit_rim(kVbiosId, vbios);
  world.edit_ocsp([](const std::string&, crypto::OcspResponseSpec&) {});
  EXPECT_EQ(world.judge().outcome(), Outcome::kAccepted) << to_text(world.judge(), false);
  EXPECT_EQ(world.judge().facts["gpus"][0]["arch"], "BLACKWELL");
}

}  // namespace
}  // namespace cloister::verify::testing
