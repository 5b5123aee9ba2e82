// A lane sends requests one after the other over one connection. After a sampled request, the lane fetches and checks
// the signature before it sends the next request. It runs on the thread of the io_context.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "load/connection.h"
#include "load/options.h"
#include "load/signature_check.h"

namespace cloister::bench {

class Lane;

class LaneOwner {
 public:
  virtual ~LaneOwner() = default;
  // The lane can take a request. This is called after the lane was opened, and after each reply and the check of its
  // signature.
  virtual void on_ready(Lane& lane) = 0;
  virtual void on_body(Lane& lane, std::string_view bytes, TimePoint at) = 0;
  // The reply is complete and its status is 200.
  virtual void on_reply(Lane& lane, TimePoint at) = 0;
  // This is called for any other status and for any failure of the connection. The lane makes no further calls.
  virtual void on_failure(const Error& error) = 0;
};

class Lane : private ExchangeListener {
 public:
  Lane(boost::asio::io_context& context, const Target& target, const RequestMaker& maker, SampleTally& tally,
       LaneOwner& owner, int index);
  void open() { connection_.open(); }
  // Opens a new connection for the next request. It may be called only when no request is running.
  void reopen();
  // `since` is the time at which the request was due; its latency is counted from then.
  void ask(RequestMaker& maker, TimePoint since, bool sampled);
  int index() const { return index_; }
  TimePoint since() const { return since_; }

 private:
  void on_open() override { owner_.on_ready(*this); }
  void on_body(std::string_view bytes, TimePoint at) override;
  void on_reply(int status, TimePoint at) override;
  void on_failure(const Error& error) override { owner_.on_failure(error); }
  void fetch_signature();

  Connection connection_;
  const RequestMaker& maker_;
  SampleTally& tally_;
  LaneOwner& owner_;
  int index_;
  TimePoint since_;
  std::unique_ptr<SignatureCheck> check_;  // present while an exchange is sampled
  bool fetching_signature_ = false;
  std::string reply_start_;  // beginning of a sampled reply
};

}  // namespace cloister::bench
