#include "receipts/receipt_lookup.h"

#include <future>

#include "api/client_name.h"
#include "receipts/testing/reply_test_util.h"

namespace cloister::receipts {
namespace {

class ReceiptLookupTest : public testing::ReplyTest {
 protected:
  void SetUp() override {
    start_journal();
    store::ReceiptRecord of_a;
    of_a.receipt_id = "rcpt-a";
    of_a.reply_ids = {"chatcmpl-a"};
    of_a.owner = api::testing::test_owner(1);
    of_a.receipt = "{}";
    store::ReceiptRecord of_nobody = of_a;
    of_nobody.receipt_id = "rcpt-n";
    of_nobody.reply_ids = {"chatcmpl-n"};
    of_nobody.owner = Owner{};
    const store::ReceiptRecord records[] = {of_a, of_nobody};
    ASSERT_TRUE(store_.put(records));
  }

  api::Call call_for(const std::string& id, std::optional<Owner> caller) {
    api::Call call = make_call("");
    call.path_argument = id;
    call.caller = caller;
    return call;
  }
  http::Response ask(const std::string& id, std::optional<Owner> caller, ReceiptJournal* journal,
                     std::function<Result<http::Response>(const store::ReceiptRecord&, const http::Request&)> make =
                         &ReceiptLookupTest::answer_with_id) {
    std::promise<http::Response> promise;
    auto future = promise.get_future();
    answer_with_receipt({journal, workers_}, call_for(id, caller), {std::move(make), "there is no such receipt"},
                        [&](const api::Call& call, http::Response response) {
                          EXPECT_EQ(call.path_argument, id);
                          promise.set_value(std::move(response));
                        });
    return future.get();
  }
  http::Response ask(const std::string& id, std::optional<Owner> caller) { return ask(id, caller, &*journal_); }
  static Result<http::Response> answer_with_id(const store::ReceiptRecord& record, const http::Request&) {
    http::Response response;
    response.body = record.receipt_id;
    return response;
  }

  const Owner a_ = api::testing::test_owner(1), b_ = api::testing::test_owner(2);
  FairPool workers_{2, {.waiting = 8, .waiting_of_client = 1}};
};

TEST_F(ReceiptLookupTest, TheOwnerFindsItByEitherId) {
  EXPECT_EQ(ask("rcpt-a", a_).body, "rcpt-a");
  EXPECT_EQ(ask("chatcmpl-a", a_).body, "rcpt-a");
}

TEST_F(ReceiptLookupTest, ToAnotherTokenItDoesNotExist) {
  const http::Response theirs = ask("rcpt-a", b_), none = ask("rcpt-none", b_);
  EXPECT_EQ(theirs.status, 404);
  EXPECT_EQ(theirs.body, none.body) << "nobody can tell the two apart";
  EXPECT_EQ(theirs.headers, none.headers);
}

TEST_F(ReceiptLookupTest, WithoutATokenOneIsAskedFor) {
  const http::Response response = ask("rcpt-a", std::nullopt);
  EXPECT_EQ(response.status, 401);
  EXPECT_TRUE(http::find_header(response.headers, "www-authenticate"));
}

TEST_F(ReceiptLookupTest, AReceiptOfNobodyIsForAll) {
  EXPECT_EQ(ask("rcpt-n", std::nullopt).body, "rcpt-n");
  EXPECT_EQ(ask("rcpt-n", b_).body, "rcpt-n");
}

TEST_F(ReceiptLookupTest, NoIdAndNoJournalFindNothing) {
  EXPECT_EQ(ask("", a_).status, 404);
  EXPECT_EQ(ask(std::string(257, 'a'), a_).status, 404);
  EXPECT_EQ(ask("rcpt-a", a_, nullptr).status, 404);
  EXPECT_EQ(store_.finds(), 0u) << "the store is not asked";
}

TEST_F(ReceiptLookupTest, AStoreThatFailsIsNotDescribed) {
  store_.set_find_fails(true);
  const http::Response response = ask("rcpt-a", a_);
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(http::find_header(response.headers, "retry-after"));
  EXPECT_EQ(response.body.find("/var/secret"), std::string::npos) << response.body;
}

TEST_F(ReceiptLookupTest, AnErrorOfTheAnswerIsTheReply) {
  const http::Response response =
      ask("rcpt-a", a_, &*journal_, [](const store::ReceiptRecord&, const http::Request&) -> Result<http::Response> {
        return fail(ErrorCode::kInvalidRequest, "not this one");
      });
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("not this one"), std::string::npos);
}

TEST_F(ReceiptLookupTest, TooManyAreRefusedAtOnce) {
  std::promise<void> gate, first, second;
  const std::shared_future<void> open = gate.get_future().share();
  workers_.submit("another client", {[&first, open] { first.set_value(), open.wait(); }, [] {}});
  workers_.submit("a third client", {[&second, open] { second.set_value(), open.wait(); }, [] {}});
  first.get_future().wait(), second.get_future().wait();
  workers_.submit(api::client_name(call_for("rcpt-a", a_)), {[] {}, [] {}});  // all that one client may have waiting
  const http::Response response = ask("rcpt-a", a_);
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(response.body.find("too many receipts"), std::string::npos) << response.body;
  gate.set_value();
}

}  // namespace
}  // namespace cloister::receipts
