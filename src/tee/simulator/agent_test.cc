// Tests the protocol of the simulated guest agent, request by request.
#include "tee/simulator/agent.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "http/client.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::tee {
namespace {

class AgentTest : public testing::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    agent_ = std::make_unique<testing::AgentProcess>((folder_ / "socket").string());
  }

  Result<http::ClientResponse> ask(const std::string& path, const std::string& body) {
    http::Url url;
    url.host = "localhost";
    url.unix_socket = (folder_ / "socket").string();
    return http::Client(url, {}).post_json(path, body);
  }
  Json answer(const std::string& path, const Json& body = Json::object()) {
    const auto response = ask(path, body.dump());
    EXPECT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200) << response->body;
    EXPECT_EQ(http::find_header(response->headers, "x-insecure-simulator"), "true");
    return *codec::parse_json(response->body);
  }
  std::string refusal(const std::string& path, const std::string& body, int status = 400) {
    const auto response = ask(path, body);
    EXPECT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, status) << path << body;
    return codec::parse_json(response->body)->value("error", "");
  }
  static evidence::ReportData report_data_of(const Json& answer) {
    const auto quote = codec::parse_tdx_quote(*from_hex(answer["quote"].get<std::string>()));
    EXPECT_TRUE(quote) << quote.error().message;
    return quote->report.report_data;
  }

  std::unique_ptr<testing::AgentProcess> agent_;
};

TEST_F(AgentTest, ShortReportDataIsPaddedAtItsEnd) {
  evidence::ReportData expected{};
  expected[0] = 0xab;
  const Json got = answer("/GetQuote", {{"report_data", "ab"}});
  EXPECT_EQ(report_data_of(got), expected);
  EXPECT_EQ(got["report_data"], to_hex(expected));
}

TEST_F(AgentTest, TheOlderGenerationHashesBehindATag) {
  const Json got = answer("/prpc/Tappd.TdxQuote", {{"report_data", to_hex(as_bytes("x"))}});
  EXPECT_EQ(report_data_of(got), crypto::sha512(as_bytes("app-data:x")));
  EXPECT_EQ(got["hash_algorithm"], "sha512");
  EXPECT_EQ(got["prefix"], "app-data");
  const std::string raw(128, 'c');
  EXPECT_EQ(to_hex(report_data_of(answer("/prpc/Tappd.RawQuote?json", {{"report_data", raw}}))), raw);
  EXPECT_FALSE(refusal("/prpc/Tappd.RawQuote?json", R"({"report_data":"cc"})").empty());
}

TEST_F(AgentTest, BadRequestsAreRefused) {
  EXPECT_EQ(refusal("/GetQuote", Json{{"report_data", std::string(130, '0')}}.dump()), "Report data is too long");
  for (const char* body :
       {"x", "[]", R"({"report_data":1})", R"({"report_data":"0"})", R"({"report_data":"","report_data":""})"}) {
    EXPECT_FALSE(refusal("/GetQuote", body).empty()) << body;
  }
  EXPECT_EQ(refusal("/GetKey", R"({"path":"a","algorithm":"rsa"})"), "Unsupported algorithm");
  EXPECT_FALSE(refusal("/EmitEvent", Json{{"event", "a"}, {"payload", std::string(131074, '0')}}.dump()).empty());
  EXPECT_FALSE(refusal("/insecure-simulator/Extend", R"({"imr":4,"event_type":1})").empty());
  EXPECT_FALSE(refusal("/insecure-simulator/Extend", R"({"imr":3,"event_type":1,"digest":"00"})").empty());
  EXPECT_EQ(refusal("/Verify", R"({"algorithm":"ed25519","signature":"00"})"), "invalid signature");
  EXPECT_EQ(refusal("/Verify", Json{{"algorithm", "ed25519"}, {"signature", std::string(128, '0')}}.dump()),
            "invalid public key");
  EXPECT_FALSE(refusal("/GetTlsKey", R"({"usage_ra_tls":true})").empty());
  EXPECT_EQ(refusal("/Attest", "{}", 404), "Service not found: /Attest");
}

// As on a real machine, every event that is asked for is measured, and the log shows what its writer puts there.
TEST_F(AgentTest, MeasuresWhateverIsAskedFor) {
  for (const char* name : {"compose-hash", "system-preparing", "a:b", ""})
    answer("/EmitEvent", {{"event", name}, {"payload", "00"}});
  answer("/insecure-simulator/Extend", {{"imr", 3}, {"event_type", 4}, {"digest", std::string(96, 'a')}});
  answer("/insecure-simulator/Extend", {{"imr", 2}, {"event_type", 6}, {"event", "x"}, {"payload", "01"}});
  const Json got = answer("/GetQuote");
  const Json log = *codec::parse_json(got["event_log"].get<std::string>());
  std::vector<evidence::Extension> extensions;
  for (const Json& entry : log)
    extensions.push_back({entry["imr"], *from_hex_exactly<48>(entry["digest"].get<std::string>())});
  const auto quote = codec::parse_tdx_quote(*from_hex(got["quote"].get<std::string>()));
  const auto replayed = evidence::replay(extensions);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(quote->report.rtmr[i], replayed[i]) << i;
  EXPECT_EQ(log[log.size() - 2]["event_type"], 4);
  answer("/insecure-simulator/ServeLog", {{"event_log", "[] and more"}});
  EXPECT_EQ(answer("/GetQuote")["event_log"], "[] and more");
}

TEST_F(AgentTest, EveryKindOfSignatureIsVerified) {
  const std::string digest = to_hex(crypto::sha256(as_bytes("message")));
  for (const auto& [algorithm, data] : {std::pair<std::string, std::string>{"ed25519", to_hex(as_bytes("message"))},
                                        {"secp256k1", to_hex(as_bytes("message"))},
                                        {"secp256k1_prehashed", digest}}) {
    const Json signed_data = answer("/Sign", {{"algorithm", algorithm}, {"data", data}});
    Json question = {{"algorithm", algorithm},
                     {"data", data},
                     {"signature", signed_data["signature"]},
                     {"public_key", signed_data["public_key"]}};
    EXPECT_EQ(answer("/Verify", question)["valid"], true) << algorithm;
    EXPECT_EQ(signed_data["signature_chain"].size(), 3u);
    question["data"] = std::string(64, '0');
    EXPECT_EQ(answer("/Verify", question)["valid"], false) << algorithm;
  }
}

TEST_F(AgentTest, TlsKeysAreCertifiedByTheApplicationsAuthority) {
  const Json key = answer("/GetTlsKey", {{"subject", "example.com"}, {"alt_names", {"example.com"}}});
  const auto chain = crypto::parse_pem_chain(
      as_bytes(key["certificate_chain"][0].get<std::string>() + key["certificate_chain"][1].get<std::string>()));
  ASSERT_TRUE(chain) << chain.error().message;
  EXPECT_EQ((*chain)[0].subject_common_name(), "INSECURE SIMULATOR example.com");
  const auto valid = crypto::check_chain_links(*chain, chain->back(), crypto::Curve::kP256);
  EXPECT_TRUE(valid) << valid.error().message;
  const auto private_key = crypto::EcKey::from_pem(key["key"].get<std::string>());
  EXPECT_EQ(private_key->public_point(), *(*chain)[0].ec_public_point());
  // Fresh each time; always the same on the older generation's path.
  EXPECT_NE(answer("/GetTlsKey")["key"], answer("/GetTlsKey")["key"]);
  EXPECT_EQ(answer("/prpc/Tappd.DeriveKey", {{"path", "a"}})["key"],
            answer("/prpc/Tappd.DeriveKey", {{"path", "a"}})["key"]);
  EXPECT_NE(answer("/prpc/Tappd.DeriveKey", {{"path", "a"}})["key"],
            answer("/prpc/Tappd.DeriveKey", {{"path", "b"}})["key"]);
}

TEST_F(AgentTest, SaysWhatItIs) {
  EXPECT_EQ(answer("/Version")["rev"], "insecure-simulator");
  EXPECT_EQ(answer("/GpuInfo")["attestation"], "");
  const Json info = answer("/Info");
  EXPECT_EQ(info, answer("/prpc/Tappd.Info?json"));
  EXPECT_EQ((*codec::parse_json(info["vm_config"].get<std::string>()))["insecure_simulator"], true);
}

}  // namespace
}  // namespace cloister::tee
