// Tests the dstack client with the simulated agent over a real socket, and with agents that misbehave.
#include "tee/dstack/dstack.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "base/encoding.h"
#include "base/file.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "tee/dstack/agent_client.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::tee {
namespace {

using testing::AgentProcess;
using testing::report_data;

// Asks the simulated agent, and changes what it answers.
class LyingAgent final : public http::Handler {
 public:
  using Change = std::function<void(const std::string& path, http::Response&)>;
  explicit LyingAgent(const std::string& socket, Change change) : change_(std::move(change)) {
    inner_ = std::move(*make_simulated_agent(testing::simulator_options()));
    http::ServerOptions options;
    options.unix_socket = socket;
    options.threads = 1;
    server_ = std::move(*http::Server::start(options, *this));
  }
  std::optional<http::Admission> admit(const http::RequestHead& head, http::Parking& parking) override {
    return inner_->admit(head, parking);
  }
  void handle(std::shared_ptr<http::Exchange> exchange) override {
    inner_->handle(std::make_shared<Tap>(std::move(exchange), change_));
  }
  http::Response protocol_error(int status, std::string_view message, std::string_view path) override {
    return inner_->protocol_error(status, message, path);
  }

 private:
  class Tap final : public http::Exchange {
   public:
    Tap(std::shared_ptr<http::Exchange> outer, const Change& change) : outer_(std::move(outer)), change_(change) {}
    const http::Request& request() const override { return outer_->request(); }
    http::Admitted* admitted() override { return outer_->admitted(); }
    std::string take_body() override { return outer_->take_body(); }
    std::shared_ptr<const std::string> share_body() override { return outer_->share_body(); }
    void set_observer(std::shared_ptr<http::ReplyObserver> observer) override { outer_->set_observer(observer); }
    void on_abandoned(std::function<void()> callback) override { outer_->on_abandoned(std::move(callback)); }
    void respond(http::Response response) override {
      change_(request().path, response);
      outer_->respond(std::move(response));
    }
    void start(http::Response head) override { outer_->start(std::move(head)); }
    void write(std::string_view bytes) override { outer_->write(bytes); }
    void finish(std::string_view last) override { outer_->finish(last); }
    void abort() override { outer_->abort(); }
    void release(http::Headers further) override { outer_->release(std::move(further)); }
    void withhold(http::Response instead) override { outer_->withhold(std::move(instead)); }
    net::Loop* loop() override { return outer_->loop(); }
    std::size_t behind_bytes() override { return outer_->behind_bytes(); }
    void on_caught_up(std::function<void()> callback) override { outer_->on_caught_up(std::move(callback)); }
    void post(std::function<void()> job) override { outer_->post(std::move(job)); }

   private:
    std::shared_ptr<http::Exchange> outer_;
    const Change& change_;
  };

  Change change_;
  std::unique_ptr<http::Handler> inner_;
  std::unique_ptr<http::Server> server_;
};

http::Response refusal(int status, const std::string& reason) {
  http::Response response;
  response.status = status;
  response.body = Json{{"error", reason}}.dump();
  return response;
}

class DstackTest : public testing::FolderTest {
 protected:
  std::string socket() const { return (folder_ / "dstack.sock").string(); }

  DstackOptions options() const {
    DstackOptions options;
    options.socket = socket();
    options.quote_timeout_s = options.call_timeout_s = 5;
    options.native.register_file = folder_ / "rtmr3";
    options.native.log_folder = folder_ / "run";
    options.native.boot_id_file = folder_ / "boot_id";
    return options;
  }
  Result<std::unique_ptr<Tee>> make() const { return make_dstack(options()); }

  void SetUp() override {
    FolderTest::SetUp();
    ASSERT_TRUE(write_file_atomically(folder_ / "boot_id", "5f0e\n", 0600));
  }

  // The error of make() for an agent whose answers to `path` are changed in this way.
  Error error_with(const std::string& path, const std::function<void(http::Response&)>& change) {
    const LyingAgent agent(socket(), [&](const std::string& asked, http::Response& response) {
      if (asked == path) change(response);
    });
    auto tee = make();
    EXPECT_FALSE(tee) << path;
    return tee ? Error{} : tee.error();
  }
};

TEST_F(DstackTest, IsTheSameMachineAsTheSimulatorInProcess) {
  const AgentProcess agent(socket());
  const auto simulator = testing::make_simulator();
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_EQ((*tee)->type(), "insecure_simulator");
  EXPECT_EQ(*(*tee)->quote(report_data(7)), *simulator->quote(report_data(7)));
  EXPECT_EQ(to_hex((*tee)->derive_key("a/b")->expose()), to_hex(simulator->derive_key("a/b")->expose()));
  EXPECT_EQ(evidence::event_log_json(*(*tee)->event_log()), evidence::event_log_json(*simulator->event_log()));
  const auto info = (*tee)->info();
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->vm_config, simulator->info()->vm_config);
  EXPECT_EQ(info->info["tcb_info"], simulator->info()->info["tcb_info"]);
}

TEST_F(DstackTest, AKeyComesWithTheChainOfWhoDerivedIt) {
  const AgentProcess agent(socket());
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  const auto custody = (*tee)->key_custody("role/one", "role.one.v1");
  ASSERT_TRUE(custody) << custody.error().message;
  const auto secret = (*tee)->derive_key("role/one");
  const auto derived = crypto::Secp256k1Key::from_secret(secret->expose());
  EXPECT_EQ(custody->kms_public_key, to_hex(crypto::compress_secp256k1(derived->public_key())));
  EXPECT_EQ(custody->path, "role/one");
  EXPECT_EQ(custody->purpose, "role.one.v1");
  const auto signer = crypto::recover_secp256k1(crypto::keccak256(as_bytes("role.one.v1:" + custody->kms_public_key)),
                                                *from_hex(custody->signature_chain.at(0)));
  ASSERT_TRUE(signer);
  const auto app_id = from_hex((*tee)->info()->info["app_id"].get<std::string>());
  Bytes message = to_bytes(as_bytes("dstack-kms-issued:"));
  append(message, *app_id);
  append(message, crypto::compress_secp256k1(*signer));
  EXPECT_TRUE(crypto::recover_secp256k1(crypto::keccak256(message), *from_hex(custody->signature_chain.at(1))));
}

TEST_F(DstackTest, SpeaksToTheOlderGeneration) {
  const LyingAgent agent(socket(), [](const std::string& path, http::Response& response) {
    if (!path.starts_with("/prpc/Tappd.")) response = refusal(404, "Service not found");
  });
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  const auto simulator = testing::make_simulator();
  EXPECT_EQ(*(*tee)->quote(report_data(3)), *simulator->quote(report_data(3)));
  EXPECT_EQ(to_hex((*tee)->derive_key("k")->expose()), to_hex(simulator->derive_key("k")->expose()));
  EXPECT_EQ((*tee)->info()->info["app_name"], "cloister");
  EXPECT_EQ((*tee)->extend_event("model", {}).error().code, ErrorCode::kUnsupported);
}

TEST_F(DstackTest, AnEventIsInTheLogTheQuoteAndTheInfo) {
  const AgentProcess agent(socket());
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  ASSERT_TRUE((*tee)->info());  // now cached
  const std::size_t before = (*tee)->event_log()->size();
  ASSERT_TRUE((*tee)->extend_event("model", as_bytes("sha256:00")));
  const auto quote = codec::parse_tdx_quote(*(*tee)->quote(report_data(1)));
  const auto events = (*tee)->event_log();
  ASSERT_EQ(events->size(), before + 1);
  EXPECT_EQ(events->back().name, "model");
  ByteArray<48> replayed{};
  for (const evidence::Event& event : *events) {
    if (event.imr == 3) replayed = evidence::extend(replayed, event.digest);
  }
  EXPECT_EQ(replayed, quote->report.rtmr[3]);
  EXPECT_EQ((*tee)->info()->info["tcb_info"]["rtmr3"], to_hex(replayed));
  EXPECT_EQ((*tee)->extend_event("compose-hash", {}).error().code, ErrorCode::kUsage);
}

TEST_F(DstackTest, WithoutTheCallAnEventGoesToTheKernelsRegister) {
  const LyingAgent agent(socket(), [](const std::string& path, http::Response& response) {
    if (path == "/EmitEvent") response = refusal(400, "Service not found: EmitEvent");
  });
  DstackOptions with_register = options();
  const auto path = with_register.native.register_file;
  ASSERT_TRUE(write_file_atomically(path, std::string(48, '\0'), 0600));
  with_register.native.write = [&](ByteView digest) -> Result<void> {
    ByteArray<48> added;
    std::copy(digest.begin(), digest.end(), added.begin());
    return write_file_atomically(path, as_text(evidence::extend({}, added)), 0600);
  };
  const auto tee = make_dstack(with_register);
  ASSERT_TRUE(tee) << tee.error().message;
  ASSERT_TRUE((*tee)->extend_event("model", as_bytes("x")));
  EXPECT_EQ((*tee)->event_log()->back().name, "model");
  const auto without = make();  // sees the same log
  EXPECT_EQ((*without)->event_log()->back().name, "model");
}

TEST_F(DstackTest, WithNeitherAnEventIsUnsupported) {
  const LyingAgent agent(socket(), [](const std::string& path, http::Response& response) {
    if (path == "/EmitEvent") response = refusal(404, "");
  });
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  const auto extended = (*tee)->extend_event("model", {});
  ASSERT_FALSE(extended);
  EXPECT_EQ(extended.error().code, ErrorCode::kUnsupported);
}

TEST_F(DstackTest, TheInfoOfTheSameLogIsNotAskedForAgain) {
  std::atomic<int> asked = 0;
  const LyingAgent agent(socket(), [&](const std::string& path, http::Response&) { asked += path == "/Info"; });
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  const int before = asked;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE((*tee)->quote(report_data(1)));
    ASSERT_TRUE((*tee)->event_log());
    ASSERT_TRUE((*tee)->info());
  }
  EXPECT_EQ(asked, before + 1);
}

TEST_F(DstackTest, NobodyThereIsNoTee) {
  EXPECT_EQ(make().error().code, ErrorCode::kNoTee);
  ASSERT_TRUE(write_file_atomically(socket(), "a file", 0600));
  EXPECT_EQ(make().error().code, ErrorCode::kNoTee);
}

TEST_F(DstackTest, AnotherTeesQuoteIsRefused) {
  const auto simulator = testing::make_simulator();
  const Error error = error_with("/GetQuote", [&](http::Response& response) {
    Json body = *codec::parse_json(response.body);
    body["quote"] = to_hex(*simulator->quote(report_data(99)));
    response.body = body.dump();
  });
  EXPECT_EQ(error.code, ErrorCode::kTeeFailed);
  EXPECT_NE(error.message.find("another quote than the one asked for"), std::string::npos) << error.message;
}

TEST_F(DstackTest, GarbageIsRefused) {
  for (const char* body :
       {"", "garbage", "[]", R"({"quote":"zz","event_log":""})", R"({"quote":"0400","event_log":""})"}) {
    const Error error = error_with("/GetQuote", [&](http::Response& response) { response.body = body; });
    EXPECT_EQ(error.code, ErrorCode::kTeeFailed) << body;
  }
  EXPECT_EQ(error_with("/Info", [](http::Response& response) { response.body = "x"; }).code, ErrorCode::kTeeFailed);
  const Error refused =
      error_with("/GetQuote", [](http::Response& response) { response = refusal(400, "no TDX here"); });
  EXPECT_NE(refused.message.find("refused GetQuote with 400: no TDX here"), std::string::npos) << refused.message;
}

TEST_F(DstackTest, AnEndlessAnswerIsCutOff) {
  const Error error = error_with("/GetQuote", [](http::Response& response) { response.body.assign(13u << 20, ' '); });
  EXPECT_EQ(error.code, ErrorCode::kTeeFailed) << error.message;
}

TEST_F(DstackTest, AKeyWithoutAChainIsRefused) {
  const LyingAgent agent(socket(), [](const std::string& path, http::Response& response) {
    if (path != "/GetKey") return;
    Json body = *codec::parse_json(response.body);
    body["signature_chain"][0] = std::string(130, '0');
    response.body = body.dump();
  });
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_EQ((*tee)->derive_key("x").error().code, ErrorCode::kTeeFailed);
}

// One key of another seed among genuine ones: no report shows the chain of the TLS key.
TEST_F(DstackTest, KeysOfTwoApplicationsAreRefused) {
  const auto other = crypto::Secp256k1Key::from_secret(Bytes(32, 7));
  std::atomic<bool> foreign = false;
  const LyingAgent agent(socket(), [&](const std::string& path, http::Response& response) {
    if (path != "/GetKey" || !foreign) return;
    Json body = *codec::parse_json(response.body);
    const auto derived = crypto::Secp256k1Key::from_secret(*from_hex(body["key"].get<std::string>()));
    const std::string message = "signing:" + to_hex(crypto::compress_secp256k1(derived->public_key()));
    auto signature = other->sign_digest(crypto::keccak256(as_bytes(message)));
    signature[64] = static_cast<std::uint8_t>(signature[64] - 27);
    body["signature_chain"][0] = to_hex(signature);
    response.body = body.dump();
  });
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  ASSERT_TRUE((*tee)->derive_key("signatures"));
  foreign = true;
  const auto refused = (*tee)->derive_key("tls");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTeeFailed);
  EXPECT_NE(refused.error().message.find("another application's key"), std::string::npos) << refused.error().message;
  foreign = false;
  EXPECT_TRUE((*tee)->derive_key("tls"));
  EXPECT_TRUE((*tee)->key_custody("signatures", "role.one.v1"));
}

TEST_F(DstackTest, AnAgentThatDiesAndComesBackCostsNoRestart) {
  auto agent = std::make_unique<AgentProcess>(socket());
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  agent.reset();
  EXPECT_EQ((*tee)->quote(report_data(1)).error().code, ErrorCode::kNoTee);
  agent = std::make_unique<AgentProcess>(socket());
  EXPECT_TRUE((*tee)->quote(report_data(2)));
}

TEST_F(DstackTest, ManyThreadsGetTheirOwnQuotesWhileTheAgentIsRestarted) {
  auto agent = std::make_unique<AgentProcess>(socket());
  const auto tee = make();
  ASSERT_TRUE(tee) << tee.error().message;
  std::atomic<bool> stop = false;
  std::atomic<int> right = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (!stop) {
        const auto quote = (*tee)->quote(report_data(t));
        if (!quote) continue;
        (codec::parse_tdx_quote(*quote)->report.report_data == report_data(t) ? right : wrong) += 1;
      }
    });
  }
  for (int restart = 0; restart < 5; ++restart) {
    const int before = right;
    while (right < before + 8) std::this_thread::yield();
    agent.reset();
    agent = std::make_unique<AgentProcess>(socket());
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(right, 40);
}

}  // namespace
}  // namespace cloister::tee
