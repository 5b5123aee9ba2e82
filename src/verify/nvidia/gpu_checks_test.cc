// Evidence of our own under roots of our own: it is accepted, and each change fails its own check.
#include "verify/nvidia/gpu_checks.h"

#include <gtest/gtest.h>

#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/testing/worlds.h"

namespace cloister::verify::testing {
namespace {

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
  // Counts every id of nvidia.def.
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

// A newer form is not wrong: the verdict is undetermined, and says so.
TEST(GpuForm, ANewerVersionOfTheOpaqueDataIsUnsupported) {
  GpuWorld world = one_gpu();
  world.edit_report(0, [](SpdmReport& report) { report.opaque_version = codec::OpaqueVersion{3, 0, 0}; });
  const Verdict verdict = world.judge();
  EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.form")->state, State::kSkipped);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.form").find("version 3.0 is not supported"), std::string::npos);
}

// Evidence of the other processors that NVIDIA certifies: this verifier does not know what it must say.
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

// ---- the set ----

TEST(GpuSet, SharedCertificatesAreVerifiedOnce) {
  // Two devices of one make, with everything: both verdicts accept, whatever the cache holds.
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
