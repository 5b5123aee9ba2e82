// Recorded answers of Intel's service, replayed by a local server; and wrong answers.
#include "collateral/intel.h"

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"
#include "collateral/collateral_test_util.h"

namespace cloister::collateral {
namespace {

constexpr UnixSeconds kTime = 1'750'500'000;  // 2025-06-21, inside the window of the recorded answers
constexpr const char* kTcb = "/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=standard";
constexpr const char* kIdentity = "/tdx/certification/v4/qe/identity?update=standard";
constexpr const char* kPckCrl = "/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
constexpr const char* kRootCrl = "/sgx/certification/v4/rootcacrl";
constexpr ByteArray<6> kFmspc = {0xb0, 0xc0, 0x6f, 0, 0, 0};

std::string pem_of(const Bytes& der) {
  return "-----BEGIN X509 CRL-----\n" + to_base64(der) + "\n-----END X509 CRL-----\n";
}

class IntelTest : public testing::ReplayTest {
 protected:
  void SetUp() override {
    testing::ReplayTest::SetUp();
    recorded_ = *codec::parse_json(cloister::testing::vector_text("tdx/v4_b0c06f_uptodate.collateral.json"));
    use_pccs(endpoints_, base());
    ASSERT_TRUE(normalise(endpoints_));
  }
  std::string text(const char* member) const { return *codec::string_member(recorded_, member); }
  std::string der(const char* member) const { return std::string(as_text(*from_hex(text(member)))); }
  std::string tcb_answer() const {
    return "{\"tcbInfo\":" + text("tcb_info") + ",\"signature\":\"" + text("tcb_info_signature") + "\"}";
  }
  std::string identity_answer() const {
    return "{\"enclaveIdentity\":" + text("qe_identity") + ",\"signature\":\"" + text("qe_identity_signature") + "\"}";
  }
  http::Headers chain(const char* header, const char* member) const {
    return {{header, testing::percent_encoded(text(member))}};
  }
  http::Headers tcb_chain() const { return chain("TCB-Info-Issuer-Chain", "tcb_info_issuer_chain"); }

  Result<verify::TdxCollateral> get(Result<void> (IntelService::*what)(verify::TdxCollateral&) const) {
    verify::TdxCollateral out;
    TRY_VOID((service().*what)(out));
    return out;
  }
  Result<verify::TdxCollateral> get_tcb_info(const ByteArray<6>& fmspc = kFmspc) {
    verify::TdxCollateral out;
    TRY_VOID(service().get_tcb_info(fmspc, out));
    return out;
  }
  Result<verify::TdxCollateral> get_pck_crl(PckCa ca = PckCa::kPlatform) {
    verify::TdxCollateral out;
    TRY_VOID(service().get_pck_crl(ca, out));
    return out;
  }

  Json recorded_;
  Endpoints endpoints_;
  TcbUpdate update_ = TcbUpdate::kStandard;
  testing::TemporaryFolder folder_;
  std::unique_ptr<DiskCache> cache_;

 private:
  IntelService service() {
    downloader_ =
        std::make_unique<Downloader>(fetcher_.get(), cache_.get(), clock_, testing::quick_download(), nullptr);
    return {*downloader_, endpoints_, update_};
  }
  FakeClock clock_{kTime};
  std::unique_ptr<Fetcher> fetcher_ = make_http_fetcher({});
  std::unique_ptr<Downloader> downloader_;
};

TEST_F(IntelTest, GetsTcbInfoWithItsSignedBytes) {
  on(kTcb, 200, tcb_answer(), tcb_chain());
  const auto got = get_tcb_info();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->tcb_info, text("tcb_info"));
  EXPECT_EQ(got->tcb_info_signature, text("tcb_info_signature"));
  EXPECT_EQ(got->tcb_info_issuer_chain, text("tcb_info_issuer_chain"));
}

TEST_F(IntelTest, AsksForTheEarlySetWhenTold) {
  update_ = TcbUpdate::kEarly;
  on("/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=early", 200, tcb_answer(), tcb_chain());
  EXPECT_TRUE(get_tcb_info());
}

TEST_F(IntelTest, ReadsTheHeaderOutOfTheCacheToo) {
  cache_ = *DiskCache::open(folder_.path());
  on(kTcb, 200, tcb_answer(), tcb_chain());
  ASSERT_TRUE(get_tcb_info());
  const auto got = get_tcb_info();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->tcb_info_issuer_chain, text("tcb_info_issuer_chain"));
  EXPECT_EQ(asked(), 1);
}

TEST_F(IntelTest, RefusesTcbInfoOfAnotherPlatform) {
  on("/tdx/certification/v4/tcb?fmspc=00806f050000&update=standard", 200, tcb_answer(), tcb_chain());
  const auto got = get_tcb_info({0x00, 0x80, 0x6f, 0x05, 0, 0});
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("asked for FMSPC 00806f050000, got that of b0c06f000000"), std::string::npos)
      << got.error().message;
}

TEST_F(IntelTest, SaysWhatIsUnknown) {
  EXPECT_NE(get_tcb_info().error().message.find("answered 404: the service knows no platform of FMSPC b0c06f000000"),
            std::string::npos);
  on(kTcb, 410, "");
  EXPECT_NE(get_tcb_info().error().message.find("answered 410: this evaluation set is no longer served"),
            std::string::npos);
}

TEST_F(IntelTest, RefusesAnswersWithoutAChainOrWithABadOne) {
  const std::string good = testing::percent_encoded(text("tcb_info_issuer_chain"));
  const std::string leaf = text("tcb_info_issuer_chain").substr(0, text("tcb_info_issuer_chain").find("-----END") + 26);
  const std::vector<http::Headers> bad = {
      {},
      {{"TCB-Info-Issuer-Chain", ""}},
      {{"TCB-Info-Issuer-Chain", "nonsense"}},
      {{"TCB-Info-Issuer-Chain", good.substr(0, good.size() / 2)}},
      {{"TCB-Info-Issuer-Chain", good.substr(0, good.size() - 1) + "%"}},
      {{"TCB-Info-Issuer-Chain", testing::percent_encoded(leaf)}},
      {{"TCB-Info-Issuer-Chain", good + good}},
  };
  for (const http::Headers& headers : bad) {
    forget(kTcb);
    on(kTcb, 200, tcb_answer(), headers);
    const auto got = get_tcb_info();
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().message.find("tcb-info-issuer-chain"), std::string::npos) << got.error().message;
  }
}

TEST_F(IntelTest, RefusesBodiesThatAreNotTheAnswer) {
  const std::string good = tcb_answer();
  const std::vector<std::string> bad = {
      "",
      "null",
      "<html>",
      good.substr(0, good.size() / 2),
      identity_answer(),
      text("tcb_info"),
      good + "x",
      "{\"tcbInfo\":{},\"signature\":\"\"}",
      "{\"tcbInfo\":{\"fmspc\":\"b0c06f000000\",\"nextUpdate\":\"soon\"},\"signature\":\"\"}",
      std::string(3u << 20, ' ')};
  for (const std::string& body : bad) {
    forget(kTcb);
    on(kTcb, 200, body, tcb_chain());
    EXPECT_FALSE(get_tcb_info()) << body.substr(0, 100);
  }
}

TEST_F(IntelTest, GetsTheIdentityOfTheQuotingEnclave) {
  on(kIdentity, 200, identity_answer(), chain("SGX-Enclave-Identity-Issuer-Chain", "qe_identity_issuer_chain"));
  const auto got = get(&IntelService::get_qe_identity);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(got->qe_identity, text("qe_identity"));
  EXPECT_EQ(got->qe_identity_signature, text("qe_identity_signature"));
  EXPECT_EQ(got->qe_identity_issuer_chain, text("qe_identity_issuer_chain"));
}

TEST_F(IntelTest, RefusesTheIdentityOfAnotherEnclave) {
  std::string other = identity_answer();
  other.replace(other.find("TD_QE"), 5, "QE");
  on(kIdentity, 200, other, chain("SGX-Enclave-Identity-Issuer-Chain", "qe_identity_issuer_chain"));
  EXPECT_FALSE(get(&IntelService::get_qe_identity));
}

TEST_F(IntelTest, GetsRevocationListsInEveryForm) {
  const Bytes root = *from_hex(text("root_ca_crl"));
  for (const std::string& body : {der("root_ca_crl"), text("root_ca_crl"), text("root_ca_crl") + "\n", pem_of(root)}) {
    forget(kRootCrl);
    on(kRootCrl, 200, body);
    const auto got = get(&IntelService::get_root_crl);
    ASSERT_TRUE(got) << got.error().to_string();
    EXPECT_EQ(got->root_ca_crl, root);
  }
  on(kPckCrl, 200, der("pck_crl"), chain("SGX-PCK-CRL-Issuer-Chain", "pck_crl_issuer_chain"));
  const auto got = get_pck_crl();
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(to_hex(got->pck_crl), text("pck_crl"));
  EXPECT_EQ(got->pck_crl_issuer_chain, text("pck_crl_issuer_chain"));
  EXPECT_NE(get_pck_crl(PckCa::kProcessor).error().message.find("ca=processor"), std::string::npos);
}

TEST_F(IntelTest, RefusesListsThatAreNone) {
  const std::string good = der("root_ca_crl");
  for (const std::string& body : {std::string(), std::string("0"), std::string("zz"), good.substr(0, good.size() - 1),
                                  good + "x", text("root_ca_crl").substr(1), tcb_answer()}) {
    forget(kRootCrl);
    on(kRootCrl, 200, body);
    EXPECT_FALSE(get(&IntelService::get_root_crl)) << body.size();
  }
}

TEST(Endpoints, AreChecked) {
  Endpoints endpoints;
  EXPECT_TRUE(normalise(endpoints));
  use_pccs(endpoints, "https://pccs.example:8081/sgx/certification/v4/");
  EXPECT_EQ(endpoints.intel, "https://pccs.example:8081");
  EXPECT_EQ(endpoints.intel_root_crl, "");
  endpoints.nvidia_rim = "https://mirror.example/nvidia//";
  ASSERT_TRUE(normalise(endpoints));
  EXPECT_EQ(endpoints.nvidia_rim, "https://mirror.example/nvidia");
  for (const char* bad :
       {"", "pccs.example", "ftp://x", "file:///etc/passwd", "https://u:p@x", "https://x/?a=b", "https://x/#a"}) {
    Endpoints changed;
    changed.intel = bad;
    EXPECT_EQ(normalise(changed).error().code, ErrorCode::kBadUrl) << bad;
  }
}

TEST(Endpoints, AskForKeysOverTlsOnly) {
  Endpoints endpoints;
  endpoints.nvidia_nras = "http://127.0.0.1:8080";
  EXPECT_TRUE(normalise(endpoints));
  endpoints.nvidia_nras = "http://nras.example";
  EXPECT_REFUSED(normalise(endpoints), "nvidia_nras: expected https, got http://nras.example");
}

}  // namespace
}  // namespace cloister::collateral
