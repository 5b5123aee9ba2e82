// For tests of requests to other servers: a loop without a server, and a sink that remembers everything.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/http_test_util.h"
#include "http/outgoing.h"
#include "net/loop.h"

namespace cloister::http::testing {

class RecordingOutgoing : public OutgoingSink {
 public:
  void on_head(OutgoingHead head) override {
    const std::lock_guard lock(mutex_);
    head_ = std::move(head);
    changed_.notify_all();
    if (during_head) during_head();
  }
  void on_body(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    body_ += bytes;
    changed_.notify_all();
  }
  void on_end() override { end(std::nullopt, {}); }
  void on_failed(OutgoingFailure failure, const Error& error) override { end(failure, error); }

  bool wait_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return ends_ > 0; });
  }
  bool wait_bytes(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return body_.size() >= count; });
  }
  // Valid after wait_end().
  std::optional<OutgoingHead> head() const { return head_; }
  const std::string& body() const { return body_; }
  std::optional<OutgoingFailure> failure() const { return failure_; }
  const Error& error() const { return error_; }
  bool ended_once() const { return ends_ == 1; }
  std::size_t received() {
    const std::lock_guard lock(mutex_);
    return body_.size();
  }
  std::function<void()> during_head;

 private:
  void end(std::optional<OutgoingFailure> failure, const Error& error) {
    const std::lock_guard lock(mutex_);
    failure_ = failure;
    error_ = error;
    ++ends_;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<OutgoingHead> head_;
  std::string body_;
  std::optional<OutgoingFailure> failure_;
  Error error_;
  int ends_ = 0;
};

class OutgoingLoopTest : public ::testing::Test {
 protected:
  void SetUp() override { loop_.start_thread(); }
  void TearDown() override { loop_.stop(); }

  void on_loop_now(const std::function<void()>& job) {
    Signal done;
    loop_.run([&] {
      job();
      done.set();
    });
    ASSERT_TRUE(done.wait());
  }
  static OutgoingRequest request_for(OutgoingTarget target) {
    OutgoingRequest request;
    request.target = std::make_shared<const OutgoingTarget>(std::move(target));
    request.head = "POST /x HTTP/1.1\r\nhost: y\r\ncontent-length: 6\r\n\r\n";
    request.body = {"ab", "cd", "ef"};
    request.keep_header = [](std::string_view name) { return name == "content-type"; };
    request.connect_timeout_s = request.first_byte_timeout_s = request.idle_timeout_s = 20;
    return request;
  }
  std::shared_ptr<RecordingOutgoing> start(OutgoingRequest request) {
    auto sink = std::make_shared<RecordingOutgoing>();
    on_loop_now([&] { call_ = send(loop_, std::move(request), sink); });
    return sink;
  }
  std::shared_ptr<RecordingOutgoing> run(OutgoingRequest request) {
    auto sink = start(std::move(request));
    EXPECT_TRUE(sink->wait_end());
    return sink;
  }

  net::Loop loop_;
  std::shared_ptr<OutgoingCall> call_;
};

}  // namespace cloister::http::testing
