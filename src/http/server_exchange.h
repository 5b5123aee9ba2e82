// ServerExchange: where a handler's threads and one connection's loop meet. Writers append under a short lock and put
// the exchange into the loop's mailbox once. The loop swaps the bytes out, so that in the steady state two buffers go
// back and forth and nothing is allocated. The lock is still held while the loop wakes up, so the loop's first steps,
// taking the mail and the release of a held reply, do without the lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "http/exchange.h"
#include "net/mailbox.h"

namespace cloister::http {

class ServerExchange final : public Exchange,
                             public net::MailboxNode,
                             public std::enable_shared_from_this<ServerExchange> {
 public:
  // The connection that the reply goes to.
  class Owner {
   public:
    // Called on the loop when the exchange has news.
    virtual void on_mail() = 0;

   protected:
    ~Owner() = default;
  };

  // Starts held: until the first take() nothing goes to the mailbox, because the connection
  // itself looks when the handler has returned. `hold` counts the body's bytes; null for a short
  // body.
  ServerExchange(net::Loop& loop, Owner& owner, Request request, std::shared_ptr<Admitted> admitted,
                 std::shared_ptr<void> hold, std::size_t behind_limit_bytes);
  ~ServerExchange() override;

  const Request& request() const override { return request_; }
  Admitted* admitted() override { return admitted_.get(); }
  std::string take_body() override { return std::move(request_.body); }
  std::shared_ptr<const std::string> share_body() override;
  void set_observer(std::shared_ptr<ReplyObserver> observer) override;
  void on_abandoned(std::function<void()> callback) override;
  void respond(Response response) override;
  void start(Response head) override;
  void write(std::string_view bytes) override;
  void finish(std::string_view last = {}) override;
  void abort() override;
  void release(Headers further) override;
  void withhold(Response instead) override;
  net::Loop* loop() override { return &loop_; }
  std::size_t behind_bytes() override;
  void on_caught_up(std::function<void()> callback) override;
  void post(std::function<void()> job) override;

  // What came since the last take(). Loop thread, like everything below.
  struct Taken {
    std::unique_ptr<Response> head;  // set when the reply begins
    bool streamed = false;           // the head begins a stream; else its body is the whole reply
    bool ended = false;
    bool aborted = false;
    bool overrun = false;  // the client is too far behind
    ReplyObserver* observer = nullptr;
  };
  // What happens to the bytes that the observer holds back.
  struct Release {
    Headers further;
    std::unique_ptr<Response> instead;  // when set, they are not sent
  };
  // Swaps the waiting bytes into `data`, which must be empty.
  Taken take(std::string& data);
  // The socket is behind: no mail for data until the next take().
  void set_behind();
  // Empty while they are still held.
  std::unique_ptr<Release> take_release();
  bool is_overrun();
  // The socket has taken everything again.
  void tell_caught_up();
  // The reply has been written to its end; the connection continues without this exchange.
  void complete();
  // The connection has ended before that. The observer is informed when its reply was not whole.
  void abandon();

  void on_taken() override;

 private:
  enum class Stage : std::uint8_t { kOpen, kStreaming, kEnded, kAborted, kDetached };

  void notify();  // called with the lock held
  void release(std::unique_ptr<Release> release);
  std::function<void()> detach(bool gone, std::shared_ptr<ReplyObserver>* cut);

  net::Loop& loop_;  // alive while not detached
  Owner* owner_;     // loop thread only; null when detached
  Request request_;
  const std::shared_ptr<Admitted> admitted_;
  std::shared_ptr<void> body_hold_;
  const std::size_t behind_limit_bytes_;

  // Set, with the lock held, by the thread that puts this into the mailbox; reset by the loop, without the lock, when it has taken it out.
  std::atomic<bool> posted_ = false;
  std::shared_ptr<ServerExchange> self_;     // belongs to the thread that set posted_, then to the loop
  std::atomic<Release*> release_ = nullptr;  // owned; set at most once with the lock held, taken without it

  std::mutex mutex_;  // guards everything below
  Stage stage_ = Stage::kOpen;
  bool streamed_ = false;
  bool held_ = true;
  bool behind_ = false;
  bool overrun_ = false;
  bool gone_ = false;
  bool told_ = false;  // the observer knows how the reply ended
  std::size_t in_flight_bytes_ = 0;
  std::string pending_;
  std::unique_ptr<Response> response_;
  std::shared_ptr<ReplyObserver> observer_;
  std::function<void()> abandoned_;
  std::function<void()> caught_up_;
};

}  // namespace cloister::http
