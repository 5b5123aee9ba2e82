#include "reports/replicas.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"
#include "http/server.h"

namespace cloister::reports {
namespace {

const evidence::Nonce kNonce{7};

Json good_report() {
  Json report = {{"request_nonce", to_hex(kNonce)},
                 {"signing_algo", "ecdsa"},
                 {"signing_address", "0xab"},
                 {"intel_quote", "04"},
                 {"event_log", nullptr}};
  report["all_attestations"] = Json::array({report});
  return report;
}

// Acts as another node: answers each request with the result of `answer`.
class OtherNode final : public http::Handler {
 public:
  using Answer = std::function<http::Response(const http::Request&)>;
  explicit OtherNode(Answer answer) : answer_(std::move(answer)) {
    http::ServerOptions options;
    options.port = 0;
    options.threads = 1;
    server_ = std::move(*http::Server::start(options, *this));
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::optional<http::Admission> admit(const http::RequestHead&, http::Parking&) override { return http::Admission{}; }
  void handle(std::shared_ptr<http::Exchange> exchange) override {
    ++times_asked;
    asked = exchange->request().path + "?" + exchange->request().query;
    exchange->respond(answer_(exchange->request()));
  }
  http::Response protocol_error(int status, std::string_view, std::string_view) override {
    http::Response response;
    response.status = status;
    return response;
  }
  std::string asked;
  std::atomic<int> times_asked = 0;

 private:
  Answer answer_;
  std::unique_ptr<http::Server> server_;
};

http::Response reply_with(const std::string& body, int status = 200) {
  http::Response response;
  response.status = status;
  response.body = body;
  return response;
}

TEST(Replicas, AReportThatAnswersIsTakenAndAllElseCounts) {
  const auto good = [](const http::Request&) { return reply_with(codec::write_json(good_report())); };
  OtherNode first(good), last(good);
  OtherNode refuses([](const http::Request&) { return reply_with(codec::write_json(good_report()), 503); });
  OtherNode garbage([](const http::Request&) { return reply_with("{\"request_nonce\":"); });
  const auto replicas =
      Replicas::make({first.url(), refuses.url(), garbage.url(), "http://127.0.0.1:1", last.url()}, 5);
  ASSERT_TRUE(replicas) << replicas.error().message;
  const ReportQuery query{.nonce = kNonce, .include_tls_fingerprint = true};
  const auto answers = (*replicas)->ask(query, kNonce);
  EXPECT_EQ(answers.reports.size(), 2u);
  EXPECT_EQ(answers.unreachable, 3u);
  for (const Json& report : answers.reports) {
    EXPECT_FALSE(report.contains("all_attestations")) << "a list in a list";
    EXPECT_EQ(report["signing_address"], "0xab");
  }
  EXPECT_EQ(first.asked, "/v1/attestation/report?replicas=false&nonce=" + to_hex(kNonce) +
                             "&signing_algo=ecdsa&include_tls_fingerprint=true");
}

TEST(Replicas, OneThatFailedIsNotAskedAgainAtOnce) {
  OtherNode good([](const http::Request&) { return reply_with(codec::write_json(good_report())); });
  OtherNode bad([](const http::Request&) { return reply_with("", 500); });
  const auto replicas = Replicas::make({good.url(), bad.url()}, 5);
  ASSERT_TRUE(replicas);
  for (int i = 0; i < 3; ++i) EXPECT_EQ((*replicas)->ask({}, kNonce).unreachable, 1u);
  EXPECT_EQ(good.times_asked, 3);
  EXPECT_EQ(bad.times_asked, 1);
}

TEST(Replicas, AnAnswerToAnotherQuestionIsNone) {
  const ReportQuery query;
  const auto judge = [&](const std::function<void(Json&)>& change) {
    Json report = good_report();
    change(report);
    return parse_replica_answer(codec::write_json(report), query, kNonce);
  };
  EXPECT_TRUE(judge([](Json&) {}));
  EXPECT_REFUSED(judge([](Json& r) { r["request_nonce"] = std::string(64, '0'); }),
                 "a replica's report: it answers another nonce");
  EXPECT_REFUSED(judge([](Json& r) { r.erase("request_nonce"); }), "the member `request_nonce` is missing");
  EXPECT_REFUSED(judge([](Json& r) { r["signing_algo"] = "ed25519"; }),
                 "a replica's report: it is about another algorithm");
  EXPECT_REFUSED(judge([](Json& r) { r["intel_quote"] = ""; }), "a replica's report: intel_quote is empty");
  EXPECT_REFUSED(judge([](Json& r) { r["signing_address"] = 5; }),
                 "expected `signing_address` to be a string, got number");
  EXPECT_REFUSED(parse_replica_answer("[]", query, kNonce), "a replica's report: expected an object");
  EXPECT_REFUSED(parse_replica_answer("", query, kNonce), "not valid JSON at byte 1");
  EXPECT_REFUSED(parse_replica_answer("{\"a\":1,\"a\":1}", query, kNonce),
                 "an object has two members of the same name");
}

TEST(Replicas, AreNamedByUrlsAndNotTooMany) {
  EXPECT_REFUSED(Replicas::make({"ftp://x"}), "expected http:// or https:// in \"ftp://x\"");
  EXPECT_REFUSED(Replicas::make(std::vector<std::string>(64, "http://127.0.0.1:1")),
                 "expected at most 63 replicas, got 64");
  EXPECT_EQ((*Replicas::make(std::vector<std::string>(63, "http://127.0.0.1:1")))->size(), 63u);
}

}  // namespace
}  // namespace cloister::reports
