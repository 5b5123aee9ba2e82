// Genuine evidence of GPUs and NVSwitches and genuine manifests, recorded from real devices: the verdicts about them at
// the time that their descriptions state.
#include "verify/gpu.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "verify/bundle.h"
#include "verify/nvidia/measurements.h"
#include "verify/nvidia/rim_checks.h"
#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

using cloister::testing::vector_bytes;
using cloister::testing::vector_text;

constexpr UnixSeconds k2024 = 1717200000;  // 2024-06-01
constexpr UnixSeconds k2025 = 1748736000;  // 2025-06-01
constexpr UnixSeconds kJan2026 = 1767225600;
constexpr UnixSeconds k2026 = 1780272000;  // 2026-06-01

Bytes old_report(const std::string& file) {
  return evidence::parse_gpu_files(vector_bytes(file), as_bytes("-----BEGIN")).value_or({}).report;
}

ByteArray<32> nonce_in(ByteView report) {
  ByteArray<32> out{};
  if (report.size() >= 36) std::copy_n(report.begin() + 4, 32, out.begin());
  return out;
}

struct Device {
  const char* report;  // a list when `chain` is null
  const char* chain;
  std::size_t count;
  const char* arch;
  const char* driver;
  const char* vbios;
  Ids failing;
};

const Ids kKnown = {"nvidia.known_nonce"};
const std::vector<Device> kDevices = {
    {"evidence_hopper_1gpu.json", nullptr, 1, "HOPPER", "590.12", "96.00.A5.00.01", {}},
    {"evidence_hopper_4gpu.json", nullptr, 4, "HOPPER", "590.12", "96.00.A5.00.01", {}},
    {"evidence_hopper_CERT_HOLD.json", nullptr, 1, "HOPPER", "570.86.10", "96.00.AF.00.01", kKnown},
    {"evidence_ls10_1switch.json", nullptr, 1, "LS10", "", "96.10.55.00.01", kKnown},
    {"blackwell_575.32.report.hex", "blackwell_575.32.certs.b64", 1, "BLACKWELL", "575.32", "97.00.88.00.0F", kKnown},
    {"hopper_535.86.09.report.hex", "hopper_535.86.09.certs.b64", 1, "HOPPER", "535.86.09", "96.00.5E.00.01", {}},
    {"hopper_550.90.07.report.hex", "hopper_550.90.07.certs.pem", 1, "HOPPER", "550.90.07", "96.00.9F.00.01", kKnown},
    {"hopper_INVALID_SIGNATURE.report.hex",
     "hopper_535.86.09.certs.b64",
     1,
     "HOPPER",
     "560.00",
     "96.00.A5.00.01",
     {"nvidia.known_nonce", "nvidia.gpu.0.signature", "nvidia.gpu.0.fwid"}},
    {"parsed/sdk_hopper.report.hex", "parsed/sdk_hopper.certs.b64", 1, "HOPPER", "580.159.03", "96.00.74.00.20", {}},
    {"parsed/sdk_switch.report.hex", "parsed/sdk_switch.certs.b64", 1, "LS10", "", "96.10.55.00.01", kKnown},
};

Verdict judge(const Device& device, const Collateral& collateral, UnixSeconds time) {
  const Policy policy;
  const std::string report = std::string("nvidia/") + device.report;
  if (device.chain == nullptr) {
    const std::string text = vector_text(report);
    const auto nonce = from_hex_exactly<32>(evidence::parse_nvidia_payload(text)->nonce_hex);
    return verify_gpu(text, *nonce, {policy, collateral, time});
  }
  return verify_gpu(vector_bytes(report), vector_bytes(std::string("nvidia/") + device.chain),
                    nonce_in(old_report(report)), {policy, collateral, time});
}

TEST(GpuVectors, EveryDevice) {
  for (const Device& device : cloister::testing::those_there(
           kDevices, [](const Device& one) { return std::string("nvidia/") + one.report; })) {
    const Verdict verdict = judge(device, {}, k2025);
    EXPECT_EQ(failing(verdict), device.failing) << device.report << "\n" << to_text(verdict, false);
    EXPECT_NE(verdict.outcome(), Outcome::kAccepted) << "nothing vouches for its firmware";
    EXPECT_TRUE(missing(verdict).contains("nvidia.gpu.0.revocation.device")) << device.report;
    EXPECT_TRUE(missing(verdict).contains("nvidia.gpu.0.rim.vbios.available")) << device.report;
    EXPECT_EQ(verdict.subject, "gpu");
    const Json& gpus = verdict.facts["gpus"];
    ASSERT_EQ(gpus.size(), device.count);
    EXPECT_EQ(gpus[0]["arch"], device.arch);
    EXPECT_EQ(gpus[0]["driver_version"], device.driver);
    EXPECT_EQ(gpus[0]["vbios_version"], device.vbios);
    EXPECT_EQ(verdict.find("nvidia.gpu.0.cert_chain")->actual, "nvidia_device_identity_ca");
    // This is before any device existed.
    EXPECT_TRUE(failing(judge(device, {}, 1500000000)).contains("nvidia.gpu.0.cert_chain")) << device.report;
  }
}

TEST(GpuVectors, TheClaimUeidIsTheSerialOfTheLeaf) {
  // The recorded answer of NVIDIA's service about this very report.
  const auto claims = Json::parse(vector_text("nvidia/nras/hopper_claims_v3_decoded.json"));
  const Verdict verdict = judge(kDevices[6], {}, k2025);
  EXPECT_EQ(verdict.facts["gpus"][0]["ueid"], claims["GPU-0"]["ueid"]);
  EXPECT_EQ(verdict.facts["gpus"][0]["model"], claims["GPU-0"]["hwmodel"]);
  EXPECT_EQ(verdict.facts["gpus"][0]["vbios_version"], claims["GPU-0"]["x-nvidia-gpu-vbios-version"]);
}

TEST(GpuVectors, ProtectedPcieNeedsItsSwitches) {
  EXPECT_TRUE(missing(judge(kDevices[0], {}, k2025)).contains("nvidia.topology"));
  EXPECT_EQ(judge(kDevices[5], {}, k2025).find("nvidia.topology")->state, State::kNotApplicable);
}

// ---- manifests ----

struct Manifest {
  const char* file;
  UnixSeconds time;
  Ids failing;  // without prefix
};

TEST(RimVectors, EveryManifest) {
  const std::vector<std::string> of_2023 = {
      "1010_0200_882_96005E0001_PROD.swidtag", "1010_0200_882_96005E0001_test_no_gpu.swidtag",
      "1010_0205_862_96005E0004_PROD.swidtag", "1010_0205_862_9600740020_PROD.swidtag",
      "1010_0210_886_9600740011_PROD.swidtag", "Driver_RIM_test_no_gpu.swidtag",
      "g520_0200_885_9600740001_PROD.swidtag", "g520_0202_885_96006D0027_PROD.swidtag",
      "g520_0205_865_9600740006_PROD.swidtag", "g520_0207_865_9600740019_PROD.swidtag",
      "g520_0228_889_96006D000A_PROD.swidtag"};
  std::vector<Manifest> table = {
      {"NV_GPU_DRIVER_GH100_550.144.03.xml", k2025, {}},
      {"NV_GPU_DRIVER_GH100_550.144.03.xml", k2024, {"chain"}},
      {"NV_GPU_DRIVER_GH100_550.144.03_BAD_SIGNATURE.xml", k2025, {"signature"}},
      {"NV_GPU_DRIVER_GH100_535.86.09_MISMATCH.xml", kJan2026, {"signature"}},
      {"NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", k2026, {}},
      {"NV_SWITCH_BIOS_5612_0002_890_9610550001.xml", 1779148800, {"chain"}},  // 2026-05-19
  };
  for (const std::string& file : of_2023) {
    table.push_back({file.c_str(), k2024, {}});
    table.push_back({file.c_str(), k2026, {"chain"}});
  }
  for (const Manifest& manifest : cloister::testing::those_there(
           table, [](const Manifest& one) { return std::string("nvidia/rims/") + one.file; })) {
    Collateral collateral;
    collateral.rims["x"] = vector_text(std::string("nvidia/rims/") + manifest.file);
    const Policy policy;
    const Context context{policy, collateral, manifest.time};
    crypto::VerifiedLinks cache;
    RimLibrary library(context, pinned_root(RootUse::kRim, RootKind::kVendor), cache);
    const JudgedRim* judged = library.find("x");
    ASSERT_NE(judged, nullptr);
    Ids failing;
    for (const Check& check : judged->checks) {
      if (check.state == State::kFail) failing.insert(check.id);
    }
    EXPECT_EQ(failing, manifest.failing) << manifest.file;
    EXPECT_EQ(judged->content.has_value(), !manifest.failing.contains("signature"));
    EXPECT_EQ(library.find("y"), nullptr);
  }
}

TEST(RimVectors, AnExpiredSignerByPolicy) {
  Collateral collateral;
  collateral.rims["x"] = vector_text("nvidia/rims/1010_0200_882_96005E0001_PROD.swidtag");
  Policy policy;
  policy.nvidia.allow_expired_rim_signer = true;
  const Context context{policy, collateral, k2026};
  crypto::VerifiedLinks cache;
  RimLibrary library(context, pinned_root(RootUse::kRim, RootKind::kVendor), cache);
  for (const Check& check : library.find("x")->checks) EXPECT_EQ(check.state, State::kPass) << check.detail;
}

Collateral with_vbios(const std::string& id, const std::string& file) {
  Collateral out;
  out.rims[id] = vector_text("nvidia/rims/" + file);
  return out;
}

Ids of_vbios(const Ids& all) {
  Ids out;
  for (const std::string& id : all) {
    if (id.starts_with("nvidia.gpu.0.rim.vbios.")) out.insert(id.substr(23));
  }
  return out;
}

TEST(RimVectors, Hopper535MatchesItsFirmwaresManifest) {
  const std::string id = "NV_GPU_VBIOS_1010_0200_882_96005E0001";
  Verdict verdict = judge(kDevices[5], with_vbios(id, "1010_0200_882_96005E0001_PROD.swidtag"), k2024);
  EXPECT_EQ(of_vbios(ids(verdict, State::kPass)).size(), 7u) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.rim.vbios.measurements")->actual, "12 measurements");
  verdict = judge(kDevices[5], with_vbios(id, "1010_0200_882_96005E0001_test_no_gpu.swidtag"), k2024);
  EXPECT_EQ(of_vbios(failing(verdict)), Ids{"measurements"});
  EXPECT_EQ(verdict.facts["gpus"][0]["mismatches"].size(), 4u);
  EXPECT_NE(said(verdict, "nvidia.gpu.0.rim.vbios.measurements").find("indices 1, 2, 3, 9 (index 9 often"),
            std::string::npos);
  // Uses the manifest of another version.
  verdict = judge(kDevices[5], with_vbios(id, "1010_0205_862_9600740020_PROD.swidtag"), k2024);
  EXPECT_TRUE(of_vbios(failing(verdict)).contains("version"));
}

TEST(RimVectors, TheSwitchAndItsManifest) {
  const std::string file = "NV_SWITCH_BIOS_5612_0002_890_9610550001";
  const Verdict verdict = judge(kDevices[3], with_vbios(file, file + ".xml"), k2026);
  EXPECT_EQ(failing(verdict), kKnown) << to_text(verdict, false);
  EXPECT_EQ(of_vbios(ids(verdict, State::kPass)).size(), 7u) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.rim.vbios.measurements")->actual, "31 measurements");
}

// The content of the edited manifest, signed by ourselves.
TEST(RimVectors, TheEditedDriverManifestDiffersWhereItsDescriptionSays) {
  std::string text = vector_text("nvidia/rims/NV_GPU_DRIVER_GH100_535.86.09_MISMATCH.xml");
  const std::size_t from = text.find("<ds:Signature"), to = text.find("</ds:Signature>") + 15;
  text.erase(from, to - from);
  const auto signed_again = crypto::sign_xml(text, world_key("rim signer"), rim_chain().certificates);
  ASSERT_TRUE(signed_again) << signed_again.error().message;
  const auto document = crypto::SignedXml::parse(*signed_again);
  ASSERT_TRUE(document);
  const auto rim = codec::read_rim(*document->verify());
  ASSERT_TRUE(rim);
  const auto report = codec::parse_spdm_report(old_report("nvidia/hopper_535.86.09.report.hex"));
  const RimComparison result = compare_measurements(*rim, *report);
  EXPECT_EQ(result.active, 22u);
  EXPECT_EQ(result.mismatching,
            (std::vector<std::uint32_t>{7, 21, 22, 25, 26, 27, 29, 30, 31, 32, 34, 37, 39, 40, 41}));
}

// ---- sets that belong together ----

// One genuine GPU with its manifests and NVIDIA's answers, which are from two days; its nonce is a constant of a tool.
TEST(WholeVectors, AGenuineGpuPassesEveryCheckButTheTwoThatItsDescriptionNames) {
  const std::string list = vector_text("nvidia/whole/h100_550.90.07.evidence.json");
  const auto collateral = parse_bundle(vector_text("nvidia/whole/h100_550.90.07.bundle.json"));
  ASSERT_TRUE(collateral) << collateral.error().message;
  const auto nonce = from_hex_exactly<32>("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb");
  const auto at = [&](UnixSeconds time, bool required) {
    Policy policy;
    policy.nvidia.require_revocation = required;
    return verify_gpu(list, *nonce, {policy, *collateral, time});
  };
  const UnixSeconds first = 1755759600, second = 1761307200;  // 2025-08-21T07:00:00Z, 2025-10-24T12:00:00Z
  const Ids rims = {"nvidia.gpu.0.revocation.driver_rim", "nvidia.gpu.0.revocation.vbios_rim"};
  Ids expected = rims;
  expected.insert("nvidia.known_nonce");
  Verdict verdict = at(first, true);
  EXPECT_EQ(failing(verdict), expected) << to_text(verdict, false);
  EXPECT_EQ(missing(verdict), Ids{});
  EXPECT_EQ(verdict.find("nvidia.gpu.0.revocation.device")->actual, "3 good");
  verdict = at(second, true);
  EXPECT_EQ(failing(verdict), (Ids{"nvidia.gpu.0.revocation.device", "nvidia.known_nonce"})) << to_text(verdict, false);
  EXPECT_EQ(missing(verdict), Ids{});
  for (const std::string& id : rims) EXPECT_EQ(verdict.find(id)->state, State::kPass) << id;
  for (const UnixSeconds time : {first, second}) EXPECT_EQ(failing(at(time, false)), Ids{"nvidia.known_nonce"});
}

TEST(WholeVectors, AMachineOfEightGpusAndFourSwitches) {
  const auto payload = evidence::parse_nvidia_payload(vector_text("nvidia/whole/ppcie_8gpu_4switch_570.124.06.json"));
  ASSERT_TRUE(payload) << payload.error().message;
  ASSERT_EQ(payload->evidence_list.size(), 12u);
  const Policy policy;
  const Collateral collateral;
  const Context context{policy, collateral, 1769904000};  // 2026-02-01
  const GpuQuestion question{from_hex_exactly<32>(payload->nonce_hex).value(), std::nullopt, {}};
  Verdict verdict;
  judge_gpus(*payload, question, context, verdict);
  EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.topology")->state, State::kPass);
  EXPECT_EQ(verdict.find("nvidia.topology")->actual, "8 GPUs, 4 switches");
  for (std::size_t left_out = 0; left_out < 12; ++left_out) {
    evidence::NvidiaPayload cut = *payload;
    cut.evidence_list.erase(cut.evidence_list.begin() + static_cast<std::ptrdiff_t>(left_out));
    Verdict rejected;
    judge_gpus(cut, question, context, rejected);
    EXPECT_EQ(failing(rejected), Ids{"nvidia.topology"}) << left_out;
  }
}

// ---- the public function ----

TEST(VerifyGpu, TakesAWholeReport) {
  const std::string list = vector_text("nvidia/evidence_hopper_1gpu.json");
  const auto nonce = from_hex_exactly<32>(evidence::parse_nvidia_payload(list)->nonce_hex);
  const Policy policy;
  const Collateral collateral;
  const Context context{policy, collateral, k2025};
  const std::string as_text = Json{{"intel_quote", "00"}, {"nvidia_payload", list}}.dump();
  EXPECT_EQ(failing(verify_gpu(as_text, *nonce, context)), Ids{});
  EXPECT_NE(verify_gpu(as_text, *nonce, context).find("nvidia.gpu.0.signature"), nullptr);
  const Verdict without = verify_gpu(R"({"intel_quote":"00","nvidia_payload":null})", *nonce, context);
  EXPECT_EQ(without.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(without.facts["gpu"], false);
  EXPECT_EQ(verify_gpu(R"({"intel_quote":"00"})", *nonce, context).facts["gpu"], false);
  for (const char* text : {"", "x", "{}", "[]", "7", R"({"nvidia_payload":7})"}) {
    EXPECT_EQ(failing(verify_gpu(text, *nonce, context)), Ids{"nvidia.payload.form"}) << text;
  }
  EXPECT_EQ(failing(verify_gpu(as_bytes("x"), as_bytes("y"), *nonce, context)), Ids{"nvidia.gpu.0.form"});
}

TEST(VerifyGpu, TakesACollectionOfMessages) {
  GpuWorld world;
  Json collection = {{"__cmwc_t", "tag:nvidia.com,2026:verifier-input/profiles/base/pre-1.0.0"}};
  const evidence::GpuEvidence& device = world.payload.evidence_list[0];
  collection["gpu_0"] = {
      {"__cmwc_t", "tag:nvidia.com,2026:evidence-item/v1"},
      {"certificate", {"application/vnd.nvidia.pem-cert-chain", to_base64(as_bytes(device.certificate_chain_pem))}},
      {"evidence", {"application/vnd.nvidia.spdm-measurement-transcript", codec::to_base64url(device.report)}}};
  const Context context{world.policy, world.collateral, world.time};
  Verdict verdict = verify_gpu(collection.dump(), world.nonce, context);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.signature")->state, State::kPass) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.nonce")->state, State::kPass);
  EXPECT_EQ(verdict.find("nvidia.payload.nonce")->state, State::kNotApplicable);
  // A later profile is unsupported.
  collection["__cmwc_t"] = "tag:nvidia.com,2027:x";
  verdict = verify_gpu(collection.dump(), world.nonce, context);
  EXPECT_EQ(failing(verdict), Ids{});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("nvidia.payload.form")->state, State::kSkipped);
}

TEST(VerifyGpu, ASimulatedDeviceNeedsToBeAcceptedByName) {
  // A chain that ends in the simulator's root is recognised, whatever else is wrong with it.
  GpuWorld world;
  world.device_root = world_certificate("Other root", "other", "Other root", "other", true);
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.gpu.0.cert_chain"));
  std::string& pem = world.payload.evidence_list[0].certificate_chain_pem;
  pem = pem.substr(0, pem.rfind("-----BEGIN")) + pinned_root(RootUse::kGpu, RootKind::kInsecureSimulator)->to_pem();
  EXPECT_TRUE(failing(world.judge()).contains("nvidia.simulator"));
  EXPECT_EQ(world.judge().find("nvidia.gpu.0.rim.driver.signature")->state, State::kNotApplicable);
  world.policy.accept_simulator = true;
  EXPECT_EQ(world.judge().find("nvidia.simulator")->state, State::kPass);
}

TEST(NvidiaNeeds, NamesManifestsAndCertificates) {
  const GpuWorld world(2);
  const std::string text = evidence::write_nvidia_payload(world.payload);
  auto needs = nvidia_needs(text, {});
  ASSERT_TRUE(needs) << needs.error().message;
  EXPECT_EQ(needs->rim_ids, (std::vector<std::string>{kDriverId, kVbiosId}));
  EXPECT_EQ(needs->certificates.size(), 4u);  // two devices, and two certificates that they share
  needs = nvidia_needs(text, world.collateral);
  ASSERT_TRUE(needs);
  EXPECT_EQ(needs->certificates.size(), 7u);  // and three certificates of the manifests
  for (const auto& [certificate, issuer] : needs->certificates) {
    EXPECT_EQ(certificate.issuer_common_name(), issuer.subject_common_name());
  }
  EXPECT_REFUSED(nvidia_needs("x", {}), "not valid JSON at byte 1");
  EXPECT_TRUE(nvidia_needs(R"({"intel_quote":"00"})", {})->rim_ids.empty());
}

}  // namespace
}  // namespace cloister::verify::testing
