#include "load/stream_run.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "load/lane.h"
#include "load/server_meter.h"
#include "load/sse_counter.h"

namespace cloister::bench {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto kMemoryStep = std::chrono::milliseconds(100);

SteadyClock::duration seconds(double s) {
  return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(s));
}

struct Stream {
  std::unique_ptr<Lane> lane;
  SseCounter counter;
  TimePoint last_event;
  int left = 0;  // streams still to come on this lane
  bool asked = false;
};

class StreamRun : public LaneOwner {
 public:
  StreamRun(const Options& options, const Target& target, RequestMaker maker)
      : options_(options), maker_(std::move(maker)), watch_(options.pids), steady_watch_(options.pids) {
    tally_.wanted = std::min(options.verify_sample, options.connections);
    for (int i = 0; i < options.connections; ++i) {
      Stream stream;
      stream.lane = std::make_unique<Lane>(context_, target, maker_, tally_, *this, i);
      stream.left = options.repeat;
      streams_.push_back(std::move(stream));
    }
  }

  Result<Json> run() {
    TRY_VOID(watch_.begin());
    begin_ = SteadyClock::now();
    open_due();
    at(guard_, begin_ + seconds(options_.ramp_s + options_.timeout_s), [this] {
      stop(fail(ErrorCode::kTimeout, std::to_string(finished_lanes_) + " of " + std::to_string(streams_.size()) +
                                         " connections had finished when the time was over"));
    });
    watch_memory();
    context_.run();
    if (failure_) return *failure_;
    return summary();
  }

 private:
  template <typename F>
  void at(asio::steady_timer& timer, TimePoint time, F action) {
    timer.expires_at(time);
    timer.async_wait([action = std::move(action)](error_code error) {
      if (!error) action();
    });
  }

  // Opens the connections whose share of the ramp is over, then sleeps until the next connection is due.
  void open_due() {
    const auto step = options_.ramp_s / static_cast<double>(streams_.size());
    for (; opened_ < streams_.size(); ++opened_) {
      const TimePoint due = begin_ + seconds(step * static_cast<double>(opened_));
      if (due > SteadyClock::now()) return at(ramp_timer_, due, [this] { open_due(); });
      streams_[opened_].lane->open();
    }
  }

  void watch_memory() {
    at(memory_timer_, SteadyClock::now() + kMemoryStep, [this] {
      if (auto sampled = watch_.sample(); !sampled) return stop(sampled.error());
      watch_memory();
    });
  }

  Stream& stream_of(const Lane& lane) { return streams_[static_cast<std::size_t>(lane.index())]; }

  void on_ready(Lane& lane) override {
    Stream& stream = stream_of(lane);
    if (stream.asked) {
      stream.asked = false;
      return stream.left == 0 ? finish_lane() : lane.reopen();
    }
    stream.asked = true;
    --stream.left;
    stream.counter.reset();
    const TimePoint now = SteadyClock::now();
    first_ask_ = std::min(first_ask_, now);
    const int every = tally_.wanted > 0 ? options_.connections / tally_.wanted : 0;
    const bool sampled = every > 0 && stream.left == 0 && lane.index() % every == 0 && tally_.take();
    lane.ask(maker_, now, sampled);
  }

  void on_body(Lane& lane, std::string_view bytes, TimePoint at) override {
    Stream& stream = stream_of(lane);
    body_bytes_ += bytes.size();
    const bool first = stream.counter.events() == 0;
    int fresh = stream.counter.feed(bytes);
    if (fresh == 0) return;
    events_ += static_cast<std::uint64_t>(fresh);
    if (first) {
      ttft_.add(at - lane.since());
      --fresh;
      if (++live_ == streams_.size() && options_.repeat == 1) begin_steady();
    }
    // The events of one read arrived together. Only the first of them waited.
    for (int i = 0; i < fresh; ++i) gap_.add(i == 0 && !first ? at - stream.last_event : SteadyClock::duration(0));
    if (stream.last_event < at) stream.last_event = at;
    last_event_ = at;
  }

  // At this point all streams run and none has ended. The reading gives CPU time per event without the cost of requests
  // and signatures.
  void begin_steady() {
    if (ended_streams_ > 0) return;
    if (auto begun = steady_watch_.begin(); !begun) return stop(begun.error());
    steady_since_ = SteadyClock::now();
    events_before_steady_ = events_;
  }

  void end_steady() {
    if (steady_since_ == TimePoint() || !steady_.is_null()) return;
    auto server = steady_watch_.end(static_cast<double>(events_ - events_before_steady_));
    if (!server) return stop(server.error());
    steady_ = Json::object();
    steady_["measured_s"] = to_s(SteadyClock::now() - steady_since_);
    steady_["events"] = events_ - events_before_steady_;
    steady_["server"] = *server;
  }

  void on_reply(Lane& lane, TimePoint) override {
    if (ended_streams_ == 0) end_steady();
    ++ended_streams_;
    const SseCounter& counter = stream_of(lane).counter;
    tokens_ += counter.completion_tokens();
    fewest_ = std::min(fewest_, counter.events());
    most_ = std::max(most_, counter.events());
    if (!counter.saw_done()) return stop(fail(ErrorCode::kBadSse, "a stream ended without [DONE]"));
    expect("events", options_.expect_events, counter.events());
    expect("completion tokens", options_.expect_tokens, counter.completion_tokens());
  }

  void expect(const char* what, std::int64_t expected, std::uint64_t actual) {
    if (expected < 0 || static_cast<std::uint64_t>(expected) == actual) return;
    stop(fail(ErrorCode::kBadSse, std::string("expected ") + std::to_string(expected) + " " + what +
                                      " in a stream, got " + std::to_string(actual)));
  }

  void finish_lane() {
    if (++finished_lanes_ < streams_.size()) return;
    auto server = watch_.end(static_cast<double>(events_));
    if (!server) return stop(server.error());
    server_ = *server;
    stop(std::nullopt);
  }

  void on_failure(const Error& error) override { stop(error); }

  void stop(std::optional<Error> failure) {
    if (!failure_) failure_ = std::move(failure);
    context_.stop();
  }

  Json summary() const {
    const double measured_s = to_s(last_event_ - first_ask_);
    Json out;
    out["mode"] = "stream";
    out["connections"] = options_.connections;
    out["streams"] = ended_streams_;
    out["measured_s"] = measured_s;
    out["events"] = events_;
    out["events_per_stream"] = {{"fewest", fewest_}, {"most", most_}};
    out["event_bytes"] = events_ > 0 ? static_cast<double>(body_bytes_) / static_cast<double>(events_) : 0;
    out["completion_tokens"] = tokens_;
    out["tokens_per_s"] = static_cast<double>(tokens_) / measured_s;
    out["request_bytes"] = maker_.last_body().size();
    out["ttft_us"] = ttft_.summary();
    out["gap_us"] = gap_.summary();
    out["server"] = server_;
    out["steady"] = steady_;
    out["signatures"] = tally_.summary();
    return out;
  }

  const Options& options_;
  RequestMaker maker_;
  ServerWatch watch_;
  ServerWatch steady_watch_;
  asio::io_context context_{1};
  asio::steady_timer guard_{context_};
  asio::steady_timer ramp_timer_{context_};
  asio::steady_timer memory_timer_{context_};
  SampleTally tally_;
  std::vector<Stream> streams_;
  std::size_t opened_ = 0;
  std::size_t live_ = 0;  // streams that have begun to arrive
  std::size_t finished_lanes_ = 0;
  std::uint64_t ended_streams_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t events_before_steady_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint64_t fewest_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t most_ = 0;
  TimePoint begin_;
  TimePoint first_ask_ = TimePoint::max();
  TimePoint last_event_;
  TimePoint steady_since_;
  Series ttft_;
  Series gap_;
  Json server_;
  Json steady_;
  std::optional<Error> failure_;
};

}  // namespace

Result<Json> run_streams(const Options& options) {
  TRY(target, parse_target(options.url));
  TRY(maker, RequestMaker::make(options, target, true));
  return StreamRun(options, target, std::move(maker)).run();
}

}  // namespace cloister::bench
