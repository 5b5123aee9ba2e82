// For tests: an exchange whose connection is the test's own. It treats a reply as http/connection_reply.cc does: the
// observer sees the bytes in the order in which the client gets them, and can hold back the end. The observer is called
// on the thread of the caller.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/exchange.h"

namespace cloister::receipts::testing {

class FakeExchange final : public http::Exchange, public std::enable_shared_from_this<FakeExchange> {
 public:
  explicit FakeExchange(http::Request request) : request_(std::move(request)) {}

  const http::Request& request() const override { return request_; }
  http::Admitted* admitted() override { return nullptr; }
  std::string take_body() override { return std::move(request_.body); }
  std::shared_ptr<const std::string> share_body() override { return std::make_shared<const std::string>(take_body()); }
  void set_observer(std::shared_ptr<http::ReplyObserver> observer) override { observer_ = std::move(observer); }
  void on_abandoned(std::function<void()> callback) override { abandoned_ = std::move(callback); }
  void on_caught_up(std::function<void()> callback) override { caught_up_ = std::move(callback); }
  std::size_t behind_bytes() override { return behind_bytes_; }
  net::Loop* loop() override { return nullptr; }
  void post(std::function<void()> job) override { job(); }

  void respond(http::Response response) override {
    if (!enter(Stage::kOpen, Stage::kEnded)) return;
    held_ = std::move(response.body);
    head_ = std::move(response);
    show(held_);
    complete();
  }
  void start(http::Response head) override {
    if (!enter(Stage::kOpen, Stage::kStreaming)) return;
    streamed_ = true;
    head_ = std::move(head);
  }
  void write(std::string_view bytes) override {
    if (!is(Stage::kStreaming)) return;
    show(bytes);
    const std::lock_guard lock(mutex_);
    sent_ += bytes;
  }
  void finish(std::string_view last) override {
    if (!enter(Stage::kStreaming, Stage::kEnded)) return;
    held_ = last;
    show(last);
    complete();
  }
  void abort() override {
    if (!enter(Stage::kOpen, Stage::kOver) && !enter(Stage::kStreaming, Stage::kOver)) return;
    cut();
  }
  void release(http::Headers further) override {
    const std::lock_guard lock(mutex_);
    if (stage_ != Stage::kEnded) return;
    further_ = std::move(further);
    end();
  }
  void withhold(http::Response instead) override {
    const std::lock_guard lock(mutex_);
    if (stage_ != Stage::kEnded) return;
    withheld_ = true;
    if (streamed_) {
      held_.clear();
    } else {
      held_ = std::move(instead.body);
      head_ = std::move(instead);
    }
    end();
  }

  // The client closes its connection.
  void leave() {
    bool told = false;
    {
      const std::lock_guard lock(mutex_);
      if (stage_ == Stage::kOver) return;
      told = stage_ == Stage::kEnded;
      stage_ = Stage::kOver;
    }
    if (!told && observer_) observer_->on_cut();
    if (abandoned_) abandoned_();
  }
  // The client's socket takes no more: this many bytes wait.
  void fall_behind(std::size_t bytes) { behind_bytes_ = bytes; }
  void catch_up() {
    behind_bytes_ = 0;
    if (caught_up_) caught_up_();
  }

  // False when the reply has not ended within 10 s, whole or cut.
  bool wait_end() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return stage_ == Stage::kOver; });
  }
  // True once the reply has ended: what is held has been sent, or never will be.
  bool is_over() { return is(Stage::kOver); }
  bool is_streamed() const { return streamed_; }
  bool was_cut() const { return cut_; }
  bool was_withheld() const { return withheld_; }
  // The bytes of the body that the client has.
  std::string sent() {
    const std::lock_guard lock(mutex_);
    return sent_;
  }
  int status() const { return head_ ? head_->status : 0; }
  const http::Headers& headers() const { return head_->headers; }
  std::string content_type() const { return head_->content_type; }
  std::string header(std::string_view name) const {
    return std::string(http::find_header(head_->headers, name).value_or(""));
  }
  // What came with the end: trailers of a stream, further headers of a whole reply.
  const http::Headers& further() const { return further_; }

 private:
  enum class Stage { kOpen, kStreaming, kEnded, kOver };

  bool is(Stage stage) {
    const std::lock_guard lock(mutex_);
    return stage_ == stage;
  }
  bool enter(Stage from, Stage to) {
    const std::lock_guard lock(mutex_);
    if (stage_ != from) return false;
    stage_ = to;
    return true;
  }
  void show(std::string_view bytes) {
    if (observer_ && !bytes.empty()) observer_->on_body(bytes);
  }
  void complete() {
    if (observer_ && observer_->on_complete(shared_from_this()) == http::ReplyObserver::End::kHold) return;
    const std::lock_guard lock(mutex_);
    end();
  }
  void cut() {
    cut_ = true;
    if (observer_) observer_->on_cut();
    changed_.notify_all();
  }
  // Called with the lock held.
  void end() {
    sent_ += held_;
    stage_ = Stage::kOver;
    changed_.notify_all();
  }

  http::Request request_;
  std::shared_ptr<http::ReplyObserver> observer_;
  std::function<void()> abandoned_, caught_up_;
  std::size_t behind_bytes_ = 0;
  bool streamed_ = false;
  bool cut_ = false;

  std::mutex mutex_;  // guards the members below until the reply is over
  std::condition_variable changed_;
  Stage stage_ = Stage::kOpen;
  std::optional<http::Response> head_;
  http::Headers further_;
  std::string held_, sent_;
  bool withheld_ = false;
};

}  // namespace cloister::receipts::testing
