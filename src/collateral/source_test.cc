// Whole collections: a local server plays all services with recorded answers.
#include "collateral/source.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"
#include "codec/spdm.h"
#include "collateral/collateral_test_util.h"
#include "collateral/evidence_scan.h"
#include "crypto/x509.h"
#include "verify/bundle.h"
#include "verify/nvidia/rim_ids.h"

namespace cloister::collateral {
namespace {

constexpr UnixSeconds kTime = 1'750'500'000;  // 2025-06-21, inside the window of the recorded answers
constexpr const char* kTcb = "/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=standard";
constexpr const char* kIdentity = "/tdx/certification/v4/qe/identity?update=standard";
constexpr const char* kPckCrl = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
constexpr const char* kRootCrl = "/sgx/certification/v4/rootcacrl";

class SourceTest : public testing::ReplayTest {
 protected:
  void SetUp() override {
    testing::ReplayTest::SetUp();
    bundle_ = cloister::testing::vector_text("tdx/v4_b0c06f_uptodate.collateral.json");
    recorded_ = *codec::parse_json(bundle_);
    evidence_.quotes = {cloister::testing::vector_bytes("tdx/v4_b0c06f_uptodate.bin")};
    options_.cache_folder = folder_.path() / "cache";
    options_.download = testing::quick_download();
    Endpoints& endpoints = options_.endpoints;
    use_pccs(endpoints, base() + "/sgx/certification/v4/");
    endpoints.nvidia_rim = endpoints.nvidia_ocsp = endpoints.nvidia_nras = endpoints.amd_kds = base();
  }
  std::string text(const char* member) const { return *codec::string_member(recorded_, member); }
  std::string der(const char* member) const { return std::string(as_text(*from_hex(text(member)))); }
  void play_intel() {
    on(kTcb, 200, "{\"tcbInfo\":" + text("tcb_info") + ",\"signature\":\"" + text("tcb_info_signature") + "\"}",
       {{"TCB-Info-Issuer-Chain", testing::percent_encoded(text("tcb_info_issuer_chain"))}});
    on(kIdentity, 200,
       "{\"enclaveIdentity\":" + text("qe_identity") + ",\"signature\":\"" + text("qe_identity_signature") + "\"}",
       {{"SGX-Enclave-Identity-Issuer-Chain", testing::percent_encoded(text("qe_identity_issuer_chain"))}});
    on(kPckCrl, 200, der("pck_crl"),
       {{"SGX-PCK-CRL-Issuer-Chain", testing::percent_encoded(text("pck_crl_issuer_chain"))}});
    on(kRootCrl, 200, text("root_ca_crl"));
  }
  Collected collect() {
    auto source = CollateralSource::open(options_, clock_);
    EXPECT_TRUE(source) << source.error().to_string();
    return (*source)->collect(evidence_);
  }

  FakeClock clock_{kTime};
  testing::TemporaryFolder folder_;
  SourceOptions options_;
  Evidence evidence_;
  std::string bundle_;
  Json recorded_;
};

TEST_F(SourceTest, FetchesWhatAQuoteNeeds) {
  play_intel();
  std::vector<std::string> lines;
  options_.progress = [&](const FetchNote& note) { lines.push_back(to_text(note)); };
  const Collected got = collect();
  EXPECT_EQ(got.problems, std::vector<std::string>{});
  // The result equals the recorded bundle, member by member.
  EXPECT_EQ(verify::write_bundle(got.collateral), verify::write_bundle(*verify::parse_bundle(bundle_)));
  EXPECT_EQ(asked(), 4);
  EXPECT_EQ(lines.size(), 4u);
  // The next time all of it comes from the cache, offline too.
  EXPECT_EQ(verify::write_bundle(collect().collateral), verify::write_bundle(got.collateral));
  options_.offline = true;
  EXPECT_EQ(verify::write_bundle(collect().collateral), verify::write_bundle(got.collateral));
  EXPECT_EQ(asked(), 4);
}

TEST_F(SourceTest, LeavesOutWhatIsMissingAndSaysSo) {
  play_intel();
  forget(kIdentity);
  on(kIdentity, 500, "");
  forget(kPckCrl);
  on(kPckCrl, 200, "<html>");
  const Collected got = collect();
  ASSERT_EQ(got.problems.size(), 2u);
  EXPECT_EQ(got.problems[0].find("revocation list of the PCK platform CA: " + base() + kPckCrl), 0u) << got.problems[0];
  EXPECT_EQ(got.problems[1], "identity of the TD quoting enclave: " + base() + kIdentity + " answered 500");
  ASSERT_EQ(got.collateral.tdx.size(), 1u);
  EXPECT_EQ(got.collateral.tdx[0].tcb_info, text("tcb_info"));
  EXPECT_EQ(got.collateral.tdx[0].qe_identity, "");
  EXPECT_TRUE(got.collateral.tdx[0].pck_crl.empty());
  EXPECT_FALSE(got.collateral.tdx[0].root_ca_crl.empty());
}

TEST_F(SourceTest, AsksOnceForWhatQuotesShare) {
  play_intel();
  evidence_.quotes.push_back(evidence_.quotes[0]);
  const Collected got = collect();
  EXPECT_EQ(got.collateral.tdx.size(), 1u);
  EXPECT_EQ(asked(), 4);
}

TEST_F(SourceTest, AsksAllAtOnceAndEndsAtTheDeadline) {
  for (const char* target : {kTcb, kIdentity, kPckCrl, kRootCrl}) hang_on(target);
  options_.download.deadline_ms = 500;
  const auto begun = std::chrono::steady_clock::now();
  const Collected got = collect();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  EXPECT_EQ(asked(), 4);
  EXPECT_EQ(got.problems.size(), 4u);
  EXPECT_TRUE(got.collateral.tdx.empty());
}

TEST_F(SourceTest, AsksNobodyForEvidenceThatIsNone) {
  evidence_.quotes = {{},
                      Bytes(10'000, 0xff),
                      cloister::testing::vector_bytes("tdx/tdreport_raw_1024.bin"),
                      cloister::testing::vector_bytes("tdx/intel_qvl_synthetic/quote.dat")};
  evidence_.devices = {{"HOPPER", Bytes(100, 1), "no PEM"}};
  evidence_.snp_reports = {Bytes(1184, 0), {}};
  const Collected got = collect();
  EXPECT_EQ(asked(), 0);
  EXPECT_EQ(got.problems, std::vector<std::string>{});
}

TEST_F(SourceTest, GoesOnWithoutACache) {
  play_intel();
  options_.cache_folder = "/dev/null/cache";
  const Collected got = collect();
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_TRUE(got.problems[0].starts_with("no cache: ")) << got.problems[0];
  EXPECT_EQ(got.collateral.tdx.size(), 1u);
}

TEST_F(SourceTest, FetchesWhatGpuEvidenceNeeds) {
  evidence_ = find_evidence(cloister::testing::vector_text("nvidia/evidence_hopper_1gpu.json"));
  ASSERT_EQ(evidence_.devices.size(), 1u);
  const auto report = codec::parse_spdm_report(evidence_.devices[0].report);
  const auto chain = crypto::parse_pem_chain(as_bytes(evidence_.devices[0].certificate_chain_pem));
  ASSERT_TRUE(report && chain);
  const auto ids = verify::rim_ids(*report, *chain);
  ASSERT_TRUE(ids) << ids.error().to_string();
  // A genuine manifest, so that its certificates are asked about too. It is for another driver, which does not concern
  // the fetcher.
  const std::string rim = cloister::testing::vector_text("nvidia/rims/NV_GPU_DRIVER_GH100_550.144.03.xml");
  on("/v1/rim/" + ids->driver, 200, codec::write_json(Json{{"id", ids->driver}, {"rim", to_base64(as_bytes(rim))}}));
  on("/", 200, std::string("0\x03\x0a\x01\x06", 5));
  const Collected got = collect();
  EXPECT_EQ(got.collateral.rims, (std::map<std::string, std::string>{{ids->driver, rim}}));
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].find("reference manifest " + ids->vbios + ": "), 0u) << got.problems[0];
  // Three certificates under the device's root, whose leaf has no responder, and three under the manifest's root; each
  // query has a nonce of its own.
  EXPECT_EQ(asked("/"), 6);
  EXPECT_EQ(got.collateral.ocsp_responses.size(), 6u);
  EXPECT_EQ(std::set<Bytes>(got.collateral.ocsp_nonces.begin(), got.collateral.ocsp_nonces.end()).size(), 6u);
  const auto query = last_request().body;
  const bool holds_one = std::ranges::any_of(
      got.collateral.ocsp_nonces, [&](const Bytes& nonce) { return query.find(as_text(nonce)) != std::string::npos; });
  EXPECT_TRUE(holds_one);
  options_.revocation = false;
  EXPECT_TRUE(collect().collateral.ocsp_responses.empty());
  EXPECT_EQ(asked("/"), 6);
}

TEST_F(SourceTest, AsksForATokenWhenTold) {
  evidence_ = find_evidence(cloister::testing::vector_text("nvidia/evidence_hopper_1gpu.json"));
  options_.revocation = false;
  options_.nras = true;
  on("/v3/attest/gpu", 200, "[[\"JWT\",\"a.b.c\"],{}]");
  on("/.well-known/jwks.json", 200, "{\"keys\":[{}]}");
  const Collected got = collect();
  EXPECT_EQ(got.collateral.nras_token, "[[\"JWT\",\"a.b.c\"],{}]");
  EXPECT_EQ(got.collateral.nras_jwks, "{\"keys\":[{}]}");
  evidence_.gpu_nonce_hex.clear();
  EXPECT_EQ(collect().collateral.nras_token, "");
}

TEST_F(SourceTest, AsksAboutSwitchesApart) {
  evidence_ = find_evidence(cloister::testing::vector_text("nvidia/evidence_hopper_1gpu.json"));
  const Evidence switches = find_evidence(cloister::testing::vector_text("nvidia/evidence_ls10_1switch.json"));
  ASSERT_EQ(switches.devices.size(), 1u);
  evidence_.devices.push_back(switches.devices.front());
  options_.revocation = false;
  options_.nras = true;
  on("/v3/attest/gpu", 200, "[[\"JWT\",\"a.b.c\"],{}]");
  on("/v3/attest/switch", 200, "[[\"JWT\",\"d.e.f\"],{}]");
  on("/.well-known/jwks.json", 200, "{\"keys\":[{}]}");
  const Collected got = collect();
  EXPECT_EQ(got.collateral.nras_token, "[[\"JWT\",\"a.b.c\"],{}]");
  EXPECT_EQ(got.collateral.nras_switch_token, "[[\"JWT\",\"d.e.f\"],{}]");
  // Half an opinion does not count.
  forget("/v3/attest/switch");
  EXPECT_EQ(collect().collateral.nras_token, "");
}

TEST_F(SourceTest, RefusesBadAddresses) {
  options_.endpoints.nvidia_rim = "rim.example";
  EXPECT_REFUSED(CollateralSource::open(options_, clock_),
                 "nvidia_rim: expected http:// or https:// in \"rim.example\"");
  options_.endpoints.nvidia_rim = "http://mirror.example";
  EXPECT_TRUE(CollateralSource::open(options_, clock_));
  options_.nvidia_service_key = "key";
  EXPECT_REFUSED(CollateralSource::open(options_, clock_), "nvidia_rim: expected https, got http://mirror.example");
}

TEST_F(SourceTest, FetchesWhatAnSnpReportNeeds) {
  const Bytes report = cloister::testing::vector_bytes("snp/milan_report_go.bin");
  const std::string vcek = cloister::testing::vector_text("snp/milan_vcek_go.der");
  const std::string authorities = cloister::testing::vector_text("snp/ask_ark_milan.pem");
  evidence_.quotes.clear();
  evidence_.snp_reports = {report};
  const std::string chip_id = to_hex(ByteView(report).subspan(0x1a0, 64));
  const auto level = [&](std::size_t at) {
    const std::string digits = std::to_string(report[0x180 + at]);
    return digits.size() < 2 ? "0" + digits : digits;
  };
  on("/vcek/v1/Milan/" + chip_id + "?blSPL=" + level(0) + "&teeSPL=" + level(1) + "&snpSPL=" + level(6) +
         "&ucodeSPL=" + level(7),
     200, vcek);
  on("/vcek/v1/Milan/cert_chain", 200, authorities);
  const Collected got = collect();
  ASSERT_EQ(got.collateral.snp.size(), 1u);
  EXPECT_EQ(as_text(got.collateral.snp[0].vcek), vcek);
  EXPECT_EQ(got.collateral.snp[0].ask_ark, authorities);
  ASSERT_EQ(got.problems.size(), 1u);
  EXPECT_EQ(got.problems[0].find("AMD revocation list (VCEK, Milan): "), 0u) << got.problems[0];
  forget("/vcek/v1/Milan/cert_chain");
  on("/vcek/v1/Milan/cert_chain", 200, vcek);
  options_.cache_folder.clear();
  EXPECT_TRUE(collect().collateral.snp.empty());
}

}  // namespace
}  // namespace cloister::collateral
