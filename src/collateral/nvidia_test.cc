#include "collateral/nvidia.h"

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"
#include "collateral/collateral_test_util.h"
#include "crypto/hash.h"

namespace cloister::collateral {
namespace {

constexpr const char* kId = "NV_GPU_DRIVER_GH100_550.144.03";
const std::string kDocument = "<SoftwareIdentity/>\n";

Json rim_answer() {
  return {{"id", kId},
          {"rim", to_base64(as_bytes(kDocument))},
          {"sha256", to_hex(crypto::sha256(as_bytes(kDocument)))},
          {"last_updated", "2025-04-08T09:05:11.595000"},
          {"rim_format", "TCG"},
          {"request_id", "54922519"}};
}

TEST(RimAnswer, HoldsTheDocument) {
  Json answer = rim_answer();
  EXPECT_EQ(*read_rim_answer(codec::write_json(answer), kId), kDocument);
  answer["sha256"] = to_base64(crypto::sha256(as_bytes(kDocument)));
  EXPECT_TRUE(read_rim_answer(codec::write_json(answer), kId));
  answer["sha256"] = to_hex(crypto::sha256(as_bytes(to_base64(as_bytes(kDocument)))));
  EXPECT_TRUE(read_rim_answer(codec::write_json(answer), kId));
  answer.erase("sha256");
  answer.erase("rim_format");
  EXPECT_TRUE(read_rim_answer(codec::write_json(answer), kId));
}

TEST(RimAnswer, IsRefusedWhenItIsNotWhatWasAskedFor) {
  const auto error_with = [](const char* member, const Json& value) {
    Json answer = rim_answer();
    answer[member] = value;
    const auto got = read_rim_answer(codec::write_json(answer), kId);
    EXPECT_FALSE(got) << member;
    return got ? std::string() : got.error().message;
  };
  EXPECT_EQ(error_with("id", "NV_GPU_DRIVER_GH100_550.90.07\n"),
            "asked for the manifest NV_GPU_DRIVER_GH100_550.144.03, got NV_GPU_DRIVER_GH100_550.90.07?");
  EXPECT_NE(error_with("sha256", std::string(64, '0')).find("expected a manifest with SHA-256 000"), std::string::npos);
  EXPECT_NE(error_with("sha256", "").find("SHA-256"), std::string::npos);
  error_with("rim", "not base64");
  error_with("rim", 7);
  error_with("id", nullptr);
  EXPECT_REFUSED(read_rim_answer("", kId), "not valid JSON at byte 1");
  EXPECT_REFUSED(read_rim_answer("[]", kId), "expected an object with the member `id`, got array");
}

TEST(NrasRequest, HasTheFormOfTheService) {
  const NrasQuery query{std::string(64, 'a'), "HOPPER", {{"HOPPER", Bytes{1, 2}, "PEM"}}};
  EXPECT_EQ(nras_request(query), "{\"nonce\":\"" + std::string(64, 'a') +
                                     "\",\"arch\":\"HOPPER\",\"evidence_list\":[{\"evidence\":\"AQI=\",\"certificate\":"
                                     "\"UEVN\"}],\"claims_version\":\"3.0\"}");
}

class NvidiaTest : public testing::ReplayTest {
 protected:
  void SetUp() override {
    testing::ReplayTest::SetUp();
    endpoints_.nvidia_rim = endpoints_.nvidia_ocsp = endpoints_.nvidia_nras = base();
  }
  NvidiaService service(std::string key = {}) {
    downloader_ =
        std::make_unique<Downloader>(fetcher_.get(), cache_.get(), clock_, testing::quick_download(), nullptr);
    return {*downloader_, endpoints_, std::move(key), clock_};
  }

  Endpoints endpoints_;
  FakeClock clock_{1'750'000'000};
  testing::TemporaryFolder folder_;
  std::unique_ptr<DiskCache> cache_ = *DiskCache::open(folder_.path());
  std::unique_ptr<Fetcher> fetcher_ = make_http_fetcher({});
  std::unique_ptr<Downloader> downloader_;
};

TEST_F(NvidiaTest, GetsAManifestAndRemembersIt) {
  on(std::string("/v1/rim/") + kId, 200, codec::write_json(rim_answer()));
  const auto got = service("key-1").get_rim(kId);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(*got, kDocument);
  EXPECT_EQ(last_request().header("authorization"), "Bearer key-1");
  EXPECT_TRUE(service().get_rim(kId));
  EXPECT_EQ(asked(), 1);
}

TEST_F(NvidiaTest, SaysThatThereIsNoSuchManifest) {
  const auto got = service().get_rim("NV_GPU_VBIOS_1010_0200_882_96005E0001");
  ASSERT_FALSE(got);
  EXPECT_NE(got.error().message.find("reference manifest NV_GPU_VBIOS_1010_0200_882_96005E0001: "), std::string::npos);
  EXPECT_NE(got.error().message.find("answered 404: NVIDIA publishes no such manifest"), std::string::npos);
}

TEST_F(NvidiaTest, LetsNoIdOutOfItsPath) {
  for (const char* id : {"", "../ids", "a/b", "a?b", "a%2fb", "a b", "..", "a#b", "a@b"}) {
    EXPECT_REFUSED(service().get_rim(id), "a manifest id has characters that no id has") << id;
  }
  EXPECT_EQ(asked(), 0);
}

TEST_F(NvidiaTest, PostsOcspRequestsAndNeverRemembers) {
  on("/", 200, std::string("0\x03\x0a\x01\x00", 5));
  const OcspQuery query{Bytes{0x30, 0x00}, {}, "GH100 A01 GSP BROM"};
  const auto got = service().get_ocsp(query);
  ASSERT_TRUE(got) << got.error().to_string();
  EXPECT_EQ(*got, (Bytes{0x30, 0x03, 0x0a, 0x01, 0x00}));
  EXPECT_EQ(last_request().method, "POST");
  EXPECT_EQ(as_bytes(last_request().body)[0], 0x30);
  EXPECT_EQ(last_request().header("content-type"), "application/ocsp-request");
  EXPECT_TRUE(service().get_ocsp(query));
  EXPECT_EQ(asked(), 2);
  forget("/");
  on("/", 200, "<html>captive portal</html>");
  EXPECT_FALSE(service().get_ocsp(query));
}

TEST_F(NvidiaTest, GetsATokenAndItsKeys) {
  const NrasQuery query{std::string(64, 'a'), "HOPPER", {{"HOPPER", Bytes{1, 2}, "PEM"}}};
  const std::string token = "[[\"JWT\",\"a.b.c\"],{\"GPU-0\":\"d.e.f\"}]";
  on("/v3/attest/gpu", 200, token);
  on("/.well-known/jwks.json", 200, "{\"keys\":[{\"kid\":\"1\"}]}");
  EXPECT_EQ(*service().get_nras_token(query), token);
  EXPECT_EQ(last_request().body, nras_request(query));
  EXPECT_EQ(*service().get_nras_jwks(), "{\"keys\":[{\"kid\":\"1\"}]}");
  // Only the service's API 4 reads versioned evidence.
  NrasQuery versioned = query;
  versioned.versioned = true;
  on("/v4/attest/gpu", 200, "[4]");
  EXPECT_EQ(*service().get_nras_token(versioned), "[4]");
  EXPECT_NE(last_request().body.find("\"claims_version\":\"4.0\""), std::string::npos);
  EXPECT_NE(nras_request(query).find("\"claims_version\":\"3.0\""), std::string::npos);
  for (const char* body : {"{}", "[]", "null", "x"}) {
    forget("/v3/attest/gpu");
    forget("/.well-known/jwks.json");
    on("/v3/attest/gpu", 200, body);
    on("/.well-known/jwks.json", 200, body);
    EXPECT_FALSE(service().get_nras_token(query)) << body;
    EXPECT_FALSE(service().get_nras_jwks()) << body;
  }
}

}  // namespace
}  // namespace cloister::collateral
