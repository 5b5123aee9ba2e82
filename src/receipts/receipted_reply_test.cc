#include "receipts/receipted_reply.h"

#include "base/encoding.h"
#include "evidence/aci/receipt.h"
#include "evidence/merkle_tree.h"
#include "receipts/testing/reply_test_util.h"

namespace cloister::receipts {
namespace {

using Author = ReceiptedReply::Author;

const std::string kEvent = "data: {\"a\":1}\n\n", kLast = "data: [DONE]\n\n";

http::Response events() {
  http::Response head;
  head.content_type = "text/event-stream";
  return head;
}

class ReceiptedReplyTest : public testing::ReplyTest {
 protected:
  // A reply to a request with these headers, with a receipt unless there is no journal.
  ReceiptedReply& make(http::Headers headers = {}) {
    reply_.emplace(ReceiptedReplyContext{.replies = {cors_, identity_, requests_},
                                         .keyring = keyring_,
                                         .journal = journal_ ? &*journal_ : nullptr,
                                         .engine = "test",
                                         .served_here = true},
                   store::reply_id_of(store::new_receipt_id(), "chatcmpl-"), make_call("{}", std::move(headers)));
    return *reply_;
  }
  // In the order in which they are sent.
  std::vector<std::string> header_names() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : exchange_->headers()) names.push_back(name);
    return names;
  }
  std::string receipt_id() const { return store::receipt_id_in(reply_->id()).value(); }

  api::RequestMetrics requests_{registry_};
  api::Cors cors_{{"*"}};
  std::optional<ReceiptedReply> reply_;
};

using Names = std::vector<std::string>;

TEST_F(ReceiptedReplyTest, AWholeReplyNamesItsProofAndWaitsForIt) {
  start_journal();
  store_.set_holds_put(true);
  ReceiptedReply& reply = make();
  reply.collect({}, Author::kThisNode);
  reply.write("{\"a\":");
  EXPECT_FALSE(reply.is_streaming());
  reply.end("1}");
  ASSERT_TRUE(store_.wait_for_puts(1));
  EXPECT_FALSE(exchange_->is_over()) << "the store has not answered";
  EXPECT_EQ(exchange_->sent(), "");
  store_.set_holds_put(false);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 200);
  EXPECT_EQ(exchange_->sent(), "{\"a\":1}");
  EXPECT_EQ(header_names(), (Names{"x-request-id", "x-receipt-id", "x-aci-version", "x-aci-keyset-digest"}));
  EXPECT_EQ(exchange_->header("x-request-id"), reply.id());
  EXPECT_EQ(exchange_->header("x-receipt-id"), receipt_id());
  EXPECT_EQ(exchange_->header("x-aci-keyset-digest"), identity_.now()->keyset_digest_text);
  const Json stored = receipt();
  EXPECT_EQ(stored["receipt_id"], receipt_id());
  EXPECT_EQ(stored["endpoint"], endpoint_.path);
  EXPECT_EQ(entry(stored, evidence::kRequestReceived)["body_hash"], digest_of("{}"));
  EXPECT_EQ(entry(stored, evidence::kResponseReturned)["body_hash"], digest_of("{\"a\":1}"));
  EXPECT_EQ(entry(stored, evidence::kEventsReturned), nullptr);
  EXPECT_EQ(store_.record().owner, api::testing::test_owner(7));
  EXPECT_TRUE(store_.record().legacy);
  EXPECT_EQ(counted(200), "1");
}

TEST_F(ReceiptedReplyTest, AStreamGoesOutAtOnceButForItsEnd) {
  start_journal();
  store_.set_holds_put(true);
  ReceiptedReply& reply = make();
  reply.stream(events(), Author::kThisNode);
  EXPECT_TRUE(reply.is_streaming());
  reply.write(kEvent);
  EXPECT_EQ(exchange_->sent(), kEvent);
  reply.end(kLast);
  ASSERT_TRUE(store_.wait_for_puts(1));
  EXPECT_FALSE(exchange_->is_over());
  EXPECT_EQ(exchange_->sent(), kEvent) << "the last event is held until the receipt is stored";
  store_.set_holds_put(false);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), kEvent + kLast);
  EXPECT_TRUE(exchange_->further().empty());
  EXPECT_EQ(header_names(), (Names{"x-request-id", "x-receipt-id", "x-aci-version", "x-aci-keyset-digest",
                                   "x-receipt-secret", "cache-control", "x-accel-buffering"}));
  const Json stored = receipt();
  EXPECT_EQ(entry(stored, evidence::kResponseReturned)["body_hash"], digest_of(kEvent + kLast));
  // The client can compute the root with the secret from the head.
  const Json of_events = entry(stored, evidence::kEventsReturned);
  EXPECT_EQ(of_events["count"], 2);
  const auto secret = from_hex_exactly<32>(exchange_->header("x-receipt-secret"));
  ASSERT_TRUE(secret);
  const std::vector<evidence::EventHash> hashes = {crypto::sha256(as_bytes(kEvent)), crypto::sha256(as_bytes(kLast))};
  EXPECT_EQ(of_events["root"], "sha256:" + to_hex(evidence::merkle_root(evidence::salted_leaves(*secret, hashes))));
  EXPECT_EQ(counted(200), "1");
}

TEST_F(ReceiptedReplyTest, AStreamBeginsOnce) {
  start_journal();
  ReceiptedReply& reply = make();
  reply.stream(events(), Author::kThisNode);
  http::Response other;
  other.status = 201;
  reply.stream(other, Author::kThisNode);
  reply.end(kLast);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 200);
  EXPECT_EQ(exchange_->content_type(), "text/event-stream");
  EXPECT_EQ(counted(200), "1");
}

TEST_F(ReceiptedReplyTest, AReceiptMayGoWithTheReply) {
  start_journal();
  ReceiptedReply& streamed = make({{"x-receipt", "inline"}});
  streamed.stream(events(), Author::kThisNode);
  EXPECT_EQ(exchange_->header("trailer"), "x-receipt");
  streamed.end(kLast);
  ASSERT_TRUE(exchange_->wait_end());
  ASSERT_EQ(exchange_->further().size(), 1u);
  EXPECT_EQ(exchange_->further()[0].first, "x-receipt");
  EXPECT_EQ(exchange_->further()[0].second, to_base64(as_bytes(store_.record().receipt)));
}

TEST_F(ReceiptedReplyTest, AStoreThatFailsTakesTheReplyAway) {
  start_journal();
  store_.set_fails(true);
  ReceiptedReply& whole = make();
  whole.collect({}, Author::kThisNode);
  whole.end("{\"secret\":1}");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 503);
  EXPECT_EQ(exchange_->sent().find("secret"), std::string::npos) << exchange_->sent();
  EXPECT_EQ(exchange_->header("x-request-id"), whole.id());
  EXPECT_EQ(exchange_->header("x-receipt-id"), "");

  ReceiptedReply& streamed = make();
  streamed.stream(events(), Author::kThisNode);
  streamed.write(kEvent);
  streamed.end(kLast);
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_TRUE(exchange_->was_withheld());
  EXPECT_EQ(exchange_->sent(), kEvent) << "a stream without its last event is not whole";
  EXPECT_EQ(store_.size(), 0u);
}

TEST_F(ReceiptedReplyTest, AStoreThatFailsMayBeToldInstead) {
  start_journal(OnStoreFailure::kServe);
  store_.set_fails(true);
  ReceiptedReply& reply = make();
  reply.collect({}, Author::kThisNode);
  reply.end("{}");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->sent(), "{}");
  EXPECT_EQ(exchange_->further(), (http::Headers{{"x-receipt-stored", "false"}}));
}

TEST_F(ReceiptedReplyTest, AnErrorTakesThePlaceOfAReplyThatHasNotBegun) {
  start_journal();
  ReceiptedReply& reply = make();
  reply.collect({}, Author::kThisNode);
  reply.write("half of ");
  reply.fail(cloister::fail(ErrorCode::kBusy, "too many"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 503);
  EXPECT_EQ(exchange_->sent().find("half of"), std::string::npos) << exchange_->sent();
  EXPECT_NE(exchange_->sent().find("too many"), std::string::npos) << exchange_->sent();
  EXPECT_EQ(exchange_->header("x-request-id"), reply.id());
  EXPECT_EQ(exchange_->header("x-receipt-id"), receipt_id());
  const Json stored = receipt();
  EXPECT_EQ(entry(stored, evidence::kRequestFailed)["code"], error_id(ErrorCode::kBusy));
  EXPECT_EQ(entry(stored, evidence::kRequestFailed)["status"], 503);
  EXPECT_EQ(entry(stored, evidence::kResponseReturned)["body_hash"], digest_of(exchange_->sent()));
  EXPECT_FALSE(store_.record().legacy) << "a refusal is not signed as a reply";
  EXPECT_EQ(counted(503), "1");
}

TEST_F(ReceiptedReplyTest, ARefusalInOtherWordsHasAReceiptToo) {
  start_journal();
  ReceiptedReply& reply = make();
  reply.refuse({.status = 412, .type = "t", .code = "not_given", .message = "no", .param = "p"});
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->status(), 412);
  EXPECT_EQ(exchange_->header("x-receipt-id"), receipt_id());
  EXPECT_EQ(entry(receipt(), evidence::kRequestFailed)["code"], "not_given");
  EXPECT_EQ(entry(receipt(), evidence::kRequestFailed)["status"], 412);
  EXPECT_EQ(counted(412), "1");
}

TEST_F(ReceiptedReplyTest, AStreamOfThisNodeEndsAfterItsErrorEvent) {
  start_journal();
  ReceiptedReply& reply = make();
  reply.stream(events(), Author::kThisNode);
  const std::string wrong = "data: {\"error\":{}}\n\n";
  reply.write(wrong);
  reply.fail(cloister::fail(ErrorCode::kEngineFailed, "x"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_FALSE(exchange_->was_cut());
  EXPECT_EQ(exchange_->sent(), wrong);
  const Json stored = receipt();
  EXPECT_EQ(entry(stored, evidence::kRequestFailed)["code"], error_id(ErrorCode::kEngineFailed));
  EXPECT_EQ(entry(stored, evidence::kResponseAborted), nullptr);
  EXPECT_EQ(counted(error_http_status(ErrorCode::kEngineFailed)), "1");
}

TEST_F(ReceiptedReplyTest, AnotherServersStreamIsCutInTheMiddle) {
  start_journal();
  ReceiptedReply& reply = make();
  reply.stream(events(), Author::kOtherServer);
  reply.write(kEvent + "data: {\"b");
  reply.fail(cloister::fail(ErrorCode::kUpstreamBroken, "x"));
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_TRUE(exchange_->was_cut());
  const Json aborted = entry(receipt(), evidence::kResponseAborted);
  EXPECT_EQ(aborted["reason"], error_id(ErrorCode::kUpstreamBroken));
  EXPECT_EQ(aborted["bytes"], kEvent.size() + 9);
  EXPECT_EQ(aborted["events"], 1);
  EXPECT_FALSE(store_.record().legacy);
}

TEST_F(ReceiptedReplyTest, AReceiptOfAClientThatLeftIsAboutWhatWasSent) {
  start_journal();
  ReceiptedReply& reply = make();
  bool told = false;
  exchange_->on_abandoned([&] {
    told = true;
    reply.drop();
  });
  reply.stream(events(), Author::kThisNode);
  reply.write(kEvent);
  exchange_->leave();
  EXPECT_TRUE(told);
  reply.write("data: {\"more\":1}\n\n");
  reply.end(kLast);
  reply.fail(cloister::fail(ErrorCode::kBusy, "x"));
  EXPECT_EQ(exchange_->sent(), kEvent);
  const Json stored = receipt();
  EXPECT_EQ(entry(stored, evidence::kResponseReturned)["body_hash"], digest_of(kEvent));
  EXPECT_EQ(entry(stored, evidence::kResponseAborted)["reason"], "connection_ended");
  EXPECT_EQ(entry(stored, evidence::kResponseAborted)["events"], 1);
  EXPECT_EQ(counted(200), "");
}

TEST_F(ReceiptedReplyTest, TheReceiptNamesWhatTheReplyOfAnotherServerSays) {
  start_journal();
  for (const bool use : {false, true}) {
    ReceiptedReply& reply = make();
    Transcript& transcript = *reply.transcript();
    std::string looked_up;
    transcript.set_asked("asked", [&](std::string_view model) {
      looked_up = model;
      return Transcript::Listed{ByteArray<32>{5}, nullptr};
    });
    transcript.set_forwarded(ByteArray<32>{6});
    reply.tap().expect_words(false);
    if (use) transcript.use_words();
    const std::string body = R"({"id":"theirs-1","model":"said"})";
    reply.collect({}, Author::kOtherServer, body.size());
    reply.tap().on_incoming(body);
    reply.end(body);
    ASSERT_TRUE(exchange_->wait_end());
    EXPECT_EQ(looked_up, use ? "said" : "");
    const auto found = journal_->find(receipt_id(), api::testing::test_owner(7), false);
    ASSERT_TRUE(found && *found);
    const Json stored = *codec::parse_json((*found)->receipt);
    EXPECT_EQ(stored["model"], "asked");
    EXPECT_EQ(stored["chat_id"], use ? Json("theirs-1") : Json());
    EXPECT_EQ(entry(stored, evidence::kModelServed)["model_id"], use ? Json("said") : Json());
    EXPECT_EQ(entry(stored, evidence::kModelServed)["model_digest"],
              use ? Json("sha256:" + to_hex(ByteArray<32>{5})) : Json());
  }
}

TEST_F(ReceiptedReplyTest, HeadersOfAnotherServerStay) {
  start_journal();
  endpoint_.anthropic_dialect = true;
  http::Response head = events();
  head.headers = {{"request-id", "theirs"}, {"x-accel-buffering", "yes"}};
  ReceiptedReply& passed = make();
  passed.stream(head, Author::kOtherServer);
  EXPECT_EQ(header_names(), (Names{"request-id", "x-accel-buffering", "x-request-id", "x-receipt-id", "x-aci-version",
                                   "x-aci-keyset-digest", "x-receipt-secret"}));
  EXPECT_EQ(exchange_->header("request-id"), "theirs");
  passed.end(kLast);
  ASSERT_TRUE(exchange_->wait_end());

  ReceiptedReply& own = make();
  own.collect({}, Author::kThisNode);
  own.end("{}");
  ASSERT_TRUE(exchange_->wait_end());
  EXPECT_EQ(exchange_->header("request-id"), own.id());
}

TEST_F(ReceiptedReplyTest, WithoutAJournalTheReplyIsTheSame) {
  ReceiptedReply& whole = make();
  EXPECT_EQ(whole.transcript(), nullptr);
  whole.collect({}, Author::kThisNode);
  whole.end("{}");
  EXPECT_TRUE(exchange_->is_over()) << "nothing holds it";
  EXPECT_EQ(exchange_->sent(), "{}");
  EXPECT_EQ(header_names(), (Names{"x-request-id", "x-aci-version", "x-aci-keyset-digest"}));

  ReceiptedReply& streamed = make({{"x-receipt", "inline"}});
  streamed.stream(events(), Author::kThisNode);
  streamed.write(kEvent);
  streamed.end(kLast);
  EXPECT_EQ(exchange_->sent(), kEvent + kLast);
  EXPECT_EQ(header_names(), (Names{"x-request-id", "cache-control", "x-accel-buffering"}));
}

}  // namespace
}  // namespace cloister::receipts
