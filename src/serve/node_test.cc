// A node whose authenticator answers when the test wants.
#include "serve/node.h"

#include <thread>

#include "api/testing/fake_authenticator.h"
#include "engine/echo/echo_engine.h"
#include "http/http_test_util.h"
#include "receipts/testing/receipts_test_util.h"

namespace cloister::serve {
namespace {

using api::testing::FakeAuthenticator;
using api::testing::test_owner;
using http::testing::RawClient;
using http::testing::RawReply;

const std::string kBody = R"({"model":"echo","messages":[{"role":"user","content":"one two"}]})";

std::string bearer(const std::string& token) { return token.empty() ? "" : "authorization: Bearer " + token + "\r\n"; }
std::string get(const std::string& path, const std::string& token = {}) {
  return "GET " + path + " HTTP/1.1\r\nhost: x\r\n" + bearer(token) + "\r\n";
}
std::string post_head(const std::string& token, const std::string& more = {}) {
  return "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" + bearer(token) + more +
         "content-length: " + std::to_string(kBody.size()) + "\r\n\r\n";
}
std::string header_of(const RawReply& reply, const std::string& name) {
  const std::size_t at = reply.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + 4 + name.size();
  return reply.head.substr(begin, reply.head.find('\r', begin) - begin);
}

class NodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    clients_.know("token-of-a", test_owner(1));
    clients_.know("token-of-b", test_owner(2));
    operators_.know("token-of-operator", test_owner(9));
  }
  void serve(std::chrono::seconds caller_timeout = std::chrono::seconds(10)) {
    node_ = std::make_unique<Node>(NodeContext{.engine = *engine_,
                                               .keyring = keyring_,
                                               .identity = identity_,
                                               .attestation = nullptr,
                                               .tee_type = "none",
                                               .app_id = {},
                                               .gpu_evidence_type = "none",
                                               .receipts = &journal_,
                                               .metrics = metrics_,
                                               .preparation = preparation_,
                                               .lookups = lookups_,
                                               .auth = clients_,
                                               .operators = &operators_,
                                               .cors = cors_,
                                               .web = web_,
                                               .clock = system_clock(),
                                               .caller_timeout = caller_timeout,
                                               .server_stats = {}});
    auto server = http::Server::start(http::testing::loopback_options(), *node_);
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = std::move(*server);
  }
  void TearDown() override { server_.reset(); }

  RawClient client() { return RawClient(server_->port()); }
  // A reply that needs no answer of an authenticator, or one answer.
  RawReply ask(const std::string& request, FakeAuthenticator* answers = nullptr) {
    RawClient raw = client();
    raw.send(request);
    if (answers != nullptr) {
      EXPECT_TRUE(answers->wait_for(1));
      std::thread([&] { answers->answer(); }).join();
    }
    return raw.read_reply();
  }
  // How often a reply of this route and status was counted.
  std::string counted(const std::string& route, int status) {
    const std::string text = metrics_.registry.render();
    const std::string name =
        "cloister_requests_total{route=\"" + route + "\",status=\"" + std::to_string(status) + "\"} ";
    const std::size_t at = text.find(name);
    return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  }
  bool all_gone() {
    for (int i = 0; i < 4000 && server_->stats().connections_open != 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return server_->stats().connections_open == 0;
  }

  FakeAuthenticator clients_, operators_;
  identity::Keyring keyring_ = *identity::Keyring::make(nullptr, {});
  identity::Identity identity_{keyring_, system_clock()};
  std::unique_ptr<engine::Engine> engine_ = engine::make_echo_engine({});
  Metrics metrics_;
  FairPool preparation_{2, {.waiting = 16}};
  FairPool lookups_{2, {.waiting = 16}};
  receipts::testing::SwitchedStore store_;
  receipts::ReceiptJournal journal_{keyring_, store_, system_clock(), metrics_.receipts};
  api::Cors cors_{{"*"}};
  api::WebGuard web_{cors_, {.tokens = true}};
  std::unique_ptr<Node> node_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(NodeTest, AsksOnceForEachRequest) {
  serve();
  EXPECT_EQ(ask(post_head("token-of-a") + kBody).status, 200);
  EXPECT_EQ(clients_.asked(), 1);
  EXPECT_EQ(ask(get("/v1/models")).status, 200);
  EXPECT_EQ(clients_.asked(), 2);
  EXPECT_EQ(ask(get("/v1/signature/none", "token-of-a")).status, 404);
  EXPECT_EQ(clients_.asked(), 3);
  EXPECT_EQ(ask(get("/v1/cloister/prefix/none?events=1", "token-of-nobody")).status, 401);
  EXPECT_EQ(clients_.asked(), 4);
  EXPECT_EQ(ask(get("/none", "token-of-a")).status, 404);
  EXPECT_EQ(clients_.asked(), 4) << "nobody is asked for what is not there";
  EXPECT_EQ(operators_.asked(), 0);
}

TEST_F(NodeTest, AnAnswerFromAnotherThreadServesTheRequest) {
  clients_.answer_later();
  serve();
  const RawReply reply = ask(post_head("token-of-a") + kBody, &clients_);
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(header_of(reply, "x-receipt-id"), "");
  EXPECT_NE(reply.body.find("one two"), std::string::npos);
  EXPECT_EQ(clients_.asked(), 1);
  EXPECT_EQ(counted("chat_completions", 200), "1");
}

TEST_F(NodeTest, ACallerWhoIsNotKnownIsRefusedBeforeTheBody) {
  for (const bool later : {false, true}) {
    if (later) clients_.answer_later();
    serve();
    RawClient raw = client();
    raw.send(post_head("token-of-nobody", "origin: https://a.example\r\nexpect: 100-continue\r\n"));
    if (later) {
      ASSERT_TRUE(clients_.wait_for(1));
      EXPECT_FALSE(raw.has_input(20));
      clients_.answer();
    }
    const RawReply reply = raw.read_reply();
    EXPECT_EQ(reply.status, 401);
    EXPECT_NE(reply.body.find("a valid token is required"), std::string::npos) << reply.body;
    EXPECT_TRUE(reply.has("connection: close"));
    EXPECT_NE(header_of(reply, "access-control-allow-origin"), "");
    EXPECT_NE(header_of(reply, "x-aci-keyset-digest"), "");
    EXPECT_EQ(counted("refused", 401), later ? "2" : "1");
    server_.reset();
  }
  EXPECT_EQ(store_.size(), 0u);
}

TEST_F(NodeTest, HeadsAreRefusedTheSameLater) {
  clients_.answer_later();
  serve();
  EXPECT_EQ(ask(post_head("token-of-a", "content-encoding: gzip\r\n"), &clients_).status, 415);
  EXPECT_EQ(ask(post_head("token-of-a", "x-client-pub-key: 04\r\n"), &clients_).status, 400);
  EXPECT_EQ(counted("refused", 415), "1");
}

TEST_F(NodeTest, ATokenThatIsRevokedMeanwhileIsNotNobodys) {
  for (const bool later : {false, true}) {
    clients_.know("token-of-a", test_owner(1));
    if (later) clients_.answer_later();
    serve();
    RawClient raw = client();
    raw.send(post_head("token-of-a") + kBody.substr(0, 10));
    if (later) {
      ASSERT_TRUE(clients_.wait_for(1));
      clients_.answer();
    }
    for (int i = 0; i < 1000 && clients_.asked() < (later ? 3 : 1); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    clients_.forget("token-of-a");
    raw.send(kBody.substr(10));
    if (later) {
      ASSERT_TRUE(clients_.wait_for(1));
      std::thread([&] { clients_.answer(); }).join();
    }
    const RawReply reply = raw.read_reply();
    EXPECT_EQ(reply.status, 401) << reply.body;
    EXPECT_EQ(header_of(reply, "x-receipt-id"), "");
    EXPECT_EQ(counted("chat_completions", 401), later ? "2" : "1");
    EXPECT_EQ(clients_.asked(), later ? 4 : 2);
    server_.reset();
  }
  EXPECT_EQ(store_.size(), 0u);
}

TEST_F(NodeTest, ACallerWhoIsStillKnownIsServedAfterAReload) {
  clients_.answer_later();
  serve();
  RawClient raw = client();
  raw.send(post_head("token-of-a") + kBody.substr(0, 10));
  ASSERT_TRUE(clients_.wait_for(1));
  clients_.answer();
  clients_.forget("token-of-b");
  raw.send(kBody.substr(10));
  ASSERT_TRUE(clients_.wait_for(1));
  EXPECT_FALSE(raw.has_input(20));
  clients_.answer();
  EXPECT_EQ(raw.read_reply().status, 200);
  raw.send(get("/v1/models"));
  ASSERT_TRUE(clients_.wait_for(1));
  clients_.answer();
  EXPECT_EQ(raw.read_reply().status, 200) << "the connection continues";
}

TEST_F(NodeTest, ADoubtThatIsNotSettledEndsTheRequest) {
  clients_.answer_later();
  serve(std::chrono::seconds(1));
  RawClient raw = client();
  raw.send(post_head("token-of-a") + kBody.substr(0, 10));
  ASSERT_TRUE(clients_.wait_for(1));
  clients_.answer();
  clients_.forget("token-of-b");
  raw.send(kBody.substr(10));
  const RawReply reply = raw.read_reply();
  EXPECT_EQ(reply.status, 503) << reply.body;
  EXPECT_NE(header_of(reply, "retry-after"), "");
  clients_.answer();
  EXPECT_EQ(ask(get("/v1/models"), &clients_).status, 200);
  EXPECT_EQ(counted("chat_completions", 503), "1");
  EXPECT_EQ(store_.size(), 0u) << "the late answer is ignored";
}

TEST_F(NodeTest, AnAnswerMayComeAfterTheClientAndAfterTheServer) {
  clients_.answer_later();
  serve();
  {
    RawClient parked = client(), in_doubt = client();
    in_doubt.send(post_head("token-of-a") + kBody.substr(0, 10));
    ASSERT_TRUE(clients_.wait_for(1));
    clients_.answer();
    clients_.forget("token-of-b");
    in_doubt.send(kBody.substr(10));
    parked.send(post_head("token-of-a"));
    ASSERT_TRUE(clients_.wait_for(2));
  }
  EXPECT_TRUE(all_gone());
  clients_.answer();
  RawClient parked = client();
  parked.send(get("/v1/models"));
  ASSERT_TRUE(clients_.wait_for(1));
  server_.reset();
  node_.reset();
  clients_.answer();
  EXPECT_EQ(store_.size(), 0u);
}

TEST_F(NodeTest, AReceiptIsForTheCallerOfTheCall) {
  clients_.answer_later();
  serve();
  const RawReply own = ask(post_head("token-of-a") + kBody, &clients_);
  ASSERT_EQ(own.status, 200);
  const std::string path = "/v1/aci/receipts/" + header_of(own, "x-receipt-id");
  const int asked = clients_.asked();
  EXPECT_EQ(ask(get(path, "token-of-a"), &clients_).status, 200);
  EXPECT_EQ(ask(get(path, "token-of-b"), &clients_).status, 404);
  EXPECT_EQ(ask(get(path, "token-of-nobody"), &clients_).status, 401) << "the route is public, the receipt is not";
  EXPECT_EQ(ask(get(path), &clients_).status, 401);
  EXPECT_EQ(clients_.asked(), asked + 4);
}

TEST_F(NodeTest, AStrangerGetsOneAnswerToEveryId) {
  serve();
  const RawReply own = ask(post_head("token-of-a") + kBody);
  const std::string id = header_of(own, "x-receipt-id");
  for (const std::string& route : {std::string("/v1/aci/receipts/"), std::string("/v1/cloister/prefix/")}) {
    const RawReply there = ask(get(route + id)), absent = ask(get(route + "rcpt-0"));
    EXPECT_EQ(there.status, 401);
    EXPECT_EQ(there.status, absent.status);
    EXPECT_EQ(there.body, absent.body);
    EXPECT_EQ(ask(get(route + std::string(300, 'x'))).body, there.body);
    EXPECT_EQ(ask(get(route + "rcpt-0", "token-of-b")).body, ask(get(route + id, "token-of-b")).body);
  }
}

TEST_F(NodeTest, AReceiptOfNobodyIsFoundByStrangers) {
  receipts::ReplyFacts facts = receipts::testing::facts_of_a_reply(identity_);
  const auto record = receipts::make_receipt(facts, keyring_, system_clock().now());
  ASSERT_TRUE(record && store_.put(std::span(&*record, 1)));
  serve();
  const std::string path = "/v1/aci/receipts/" + facts.receipt_id;
  for (const std::string& token : {std::string(), std::string("token-of-a"), std::string("token-of-nobody")})
    EXPECT_EQ(ask(get(path, token)).status, 200) << token;
}

TEST_F(NodeTest, OperatorsAreAskedForWhatIsTheirs) {
  operators_.answer_later();
  serve();
  EXPECT_EQ(ask(get("/metrics", "token-of-operator"), &operators_).status, 200);
  const RawReply refused = ask(get("/metrics", "token-of-a"), &operators_);
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.body.find("a token of the operator is required"), std::string::npos) << refused.body;
  EXPECT_EQ(clients_.asked(), 0);
  EXPECT_EQ(ask(post_head("token-of-operator") + kBody).status, 401) << "an operator is no client";
}

}  // namespace
}  // namespace cloister::serve
