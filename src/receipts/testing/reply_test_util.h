// For tests of replies that have a receipt: what a node has for them, with a store that the test switches.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "api/endpoint.h"
#include "api/request_metrics.h"
#include "api/testing/fake_authenticator.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "receipts/receipt_journal.h"
#include "receipts/testing/fake_exchange.h"
#include "receipts/testing/receipts_test_util.h"

namespace cloister::receipts::testing {

class ReplyTest : public ::testing::Test {
 protected:
  void start_journal(OnStoreFailure on_failure = OnStoreFailure::kRefuse) {
    JournalOptions options;
    options.on_failure = on_failure;
    options.threads = 1;
    options.patience_ms = 0;
    options.retry_ms = 10;
    journal_.emplace(keyring_, store_, clock_, receipt_metrics_, options);
  }

  // A request as the server gives it to a handler.
  api::Call make_call(const std::string& body, http::Headers headers = {}, std::string query = {}) {
    http::Request request;
    request.method = "POST";
    request.path = endpoint_.path;
    request.query = std::move(query);
    request.headers = std::move(headers);
    request.body = body;
    request.body_sha256 = crypto::sha256(as_bytes(body));
    request.peer = "192.0.2.7:1000";
    exchange_ = std::make_shared<FakeExchange>(std::move(request));
    api::Call call{exchange_, &endpoint_};
    call.caller = api::testing::test_owner(7);
    call.epoch = identity_.now();
    return call;
  }

  // The receipt that was stored; the test fails where there is none, or more than one. Waits for it.
  Json receipt() {
    EXPECT_TRUE(store_.wait_for_records(1));
    const Result<Json> parsed = codec::parse_json(store_.record().receipt);
    EXPECT_TRUE(parsed);
    return parsed ? *parsed : Json();
  }
  // The entry of its log; null where there is none.
  static Json entry(const Json& receipt, std::string_view type) {
    for (const Json& each : receipt.value("event_log", Json::array())) {
      if (each["type"] == type) return each;
    }
    return nullptr;
  }
  static std::string digest_of(std::string_view bytes) { return "sha256:" + to_hex(crypto::sha256(as_bytes(bytes))); }
  // How often a reply of this status was counted; empty for never.
  std::string counted(int status) { return counted_in(registry_, status); }
  std::string counted_in(metrics::Registry& registry, int status) const {
    const std::string text = registry.render();
    const std::string name =
        "cloister_requests_total{route=\"" + endpoint_.name + "\",status=\"" + std::to_string(status) + "\"} ";
    const std::size_t at = text.find(name);
    return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  }

  FakeClock clock_{1780272000};
  identity::Keyring keyring_ = identity::Keyring::make(nullptr, {}).value();
  identity::Identity identity_{keyring_, clock_};
  metrics::Registry registry_;
  ReceiptMetrics receipt_metrics_{registry_};
  SwitchedStore store_;
  std::optional<ReceiptJournal> journal_;
  api::Endpoint endpoint_{.method = "POST", .path = "/v1/chat/completions", .name = "chat_completions", .handle = {}};
  std::shared_ptr<FakeExchange> exchange_;
};

}  // namespace cloister::receipts::testing
