#include "load/request_run.h"

#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "load/lane.h"
#include "load/server_meter.h"

namespace cloister::bench {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::duration_cast;

constexpr auto kMemoryStep = std::chrono::milliseconds(100);
constexpr auto kDrainTime = std::chrono::seconds(5);

SteadyClock::duration seconds(double s) {
  return duration_cast<SteadyClock::duration>(std::chrono::duration<double>(s));
}

class RequestRun : public LaneOwner {
 public:
  RequestRun(const Options& options, const Target& target, RequestMaker maker)
      : options_(options), maker_(std::move(maker)), watch_(options.pids) {
    tally_.wanted = options.verify_sample;
    for (int i = 0; i < options.connections; ++i) {
      lanes_.push_back(std::make_unique<Lane>(context_, target, maker_, tally_, *this, i));
    }
  }

  Result<Json> run() {
    for (auto& lane : lanes_) lane->open();
    at(guard_, SteadyClock::now() + seconds(options_.warmup_s + options_.duration_s + options_.timeout_s),
       [this] { stop(fail(ErrorCode::kTimeout, "the run did not end in time")); });
    context_.run();
    if (failure_) return *failure_;
    return summary();
  }

 private:
  enum class Phase { kOpening, kWarmup, kMeasure, kDrain };

  bool open_loop() const { return options_.rate > 0; }

  template <typename F>
  void at(asio::steady_timer& timer, TimePoint time, F action) {
    timer.expires_at(time);
    timer.async_wait([action = std::move(action)](error_code error) {
      if (!error) action();
    });
  }

  void on_ready(Lane& lane) override {
    if (phase_ == Phase::kOpening) {
      idle_.push_back(&lane);
      if (idle_.size() == lanes_.size()) begin_warmup();
    } else if (!open_loop()) {
      ask(lane, SteadyClock::now());
    } else if (overdue_.empty()) {
      idle_.push_back(&lane);
    } else {
      const TimePoint due = overdue_.front();
      overdue_.pop_front();
      ask(lane, due);
    }
  }

  void begin_warmup() {
    phase_ = Phase::kWarmup;
    const TimePoint now = SteadyClock::now();
    at(phase_timer_, now + seconds(options_.warmup_s), [this] { begin_window(); });
    if (open_loop()) {
      first_due_ = now;
      return send_due();
    }
    auto lanes = std::move(idle_);
    for (Lane* lane : lanes) ask(*lane, SteadyClock::now());
  }

  void begin_window() {
    if (auto begun = watch_.begin(); !begun) return stop(begun.error());
    phase_ = Phase::kMeasure;
    window_begin_ = SteadyClock::now();
    window_end_ = window_begin_ + seconds(options_.duration_s);
    const int samples = std::max(1, tally_.wanted);
    sample_step_ = seconds(options_.duration_s / samples);
    next_sample_ = window_begin_ + sample_step_ / 2;
    at(phase_timer_, window_end_, [this] { end_window(); });
    watch_memory();
  }

  void watch_memory() {
    at(memory_timer_, SteadyClock::now() + kMemoryStep, [this] {
      if (phase_ != Phase::kMeasure) return;
      if (auto sampled = watch_.sample(); !sampled) return stop(sampled.error());
      watch_memory();
    });
  }

  void end_window() {
    phase_ = Phase::kDrain;
    measured_s_ = to_s(SteadyClock::now() - window_begin_);
    auto server = watch_.end(static_cast<double>(window_replies_));
    if (!server) return stop(server.error());
    server_ = *server;
    if (!open_loop() || waiting_in_window_ == 0) return stop(std::nullopt);
    at(phase_timer_, SteadyClock::now() + kDrainTime, [this] { stop(std::nullopt); });
  }

  // Sends the requests that are due, then sleeps until the next one is due.
  void send_due() {
    const TimePoint now = SteadyClock::now();
    TimePoint due = due_time(sent_due_);
    for (; due <= now; due = due_time(++sent_due_)) {
      if (phase_ == Phase::kDrain) return;
      if (in_window(due)) ++waiting_in_window_;
      if (idle_.empty()) {
        overdue_.push_back(due);
      } else {
        Lane* lane = idle_.back();
        idle_.pop_back();
        ask(*lane, due);
      }
    }
    at(rate_timer_, due, [this] { send_due(); });
  }

  TimePoint due_time(std::uint64_t number) const {
    return first_due_ + seconds(static_cast<double>(number) / options_.rate);
  }
  bool in_window(TimePoint time) const {
    return phase_ != Phase::kOpening && phase_ != Phase::kWarmup && time >= window_begin_ && time < window_end_;
  }

  void ask(Lane& lane, TimePoint since) {
    const bool sampled = phase_ == Phase::kMeasure && SteadyClock::now() >= next_sample_ && tally_.take();
    if (sampled) next_sample_ += sample_step_;
    lane.ask(maker_, since, sampled);
  }

  void on_body(Lane&, std::string_view bytes, TimePoint) override { body_bytes_ += bytes.size(); }

  void on_reply(Lane& lane, TimePoint at) override {
    ++replies_;
    if (in_window(at)) ++window_replies_;
    if (open_loop() ? in_window(lane.since()) : in_window(at)) latency_.add(at - lane.since());
    if (open_loop() && in_window(lane.since())) {
      --waiting_in_window_;
      if (phase_ == Phase::kDrain && waiting_in_window_ == 0) stop(std::nullopt);
    }
  }

  void on_failure(const Error& error) override { stop(error); }

  void stop(std::optional<Error> failure) {
    if (!failure_) failure_ = std::move(failure);
    context_.stop();
  }

  Json summary() const {
    Json out;
    out["mode"] = "request";
    out["loop"] = open_loop() ? "open" : "closed";
    out["connections"] = options_.connections;
    out["measured_s"] = measured_s_;
    if (open_loop()) out["asked_rate"] = options_.rate;
    if (open_loop()) out["unanswered"] = waiting_in_window_;
    out["replies"] = window_replies_;
    out["replies_per_s"] = static_cast<double>(window_replies_) / measured_s_;
    out["request_bytes"] = maker_.last_body().size();
    out["reply_bytes"] = replies_ > 0 ? static_cast<double>(body_bytes_) / static_cast<double>(replies_) : 0;
    out["latency_us"] = latency_.summary();
    out["server"] = server_;
    out["signatures"] = tally_.summary();
    return out;
  }

  const Options& options_;
  RequestMaker maker_;
  ServerWatch watch_;
  asio::io_context context_{1};
  asio::steady_timer guard_{context_};
  asio::steady_timer phase_timer_{context_};
  asio::steady_timer memory_timer_{context_};
  asio::steady_timer rate_timer_{context_};
  SampleTally tally_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> idle_;
  std::deque<TimePoint> overdue_;  // due requests that wait for a free lane
  Phase phase_ = Phase::kOpening;
  TimePoint first_due_;
  TimePoint window_begin_;
  TimePoint window_end_;
  TimePoint next_sample_;
  SteadyClock::duration sample_step_{};
  std::uint64_t sent_due_ = 0;
  std::uint64_t waiting_in_window_ = 0;
  std::uint64_t replies_ = 0;
  std::uint64_t window_replies_ = 0;
  std::uint64_t body_bytes_ = 0;
  double measured_s_ = 0;
  Series latency_;
  Json server_;
  std::optional<Error> failure_;
};

}  // namespace

Result<Json> run_requests(const Options& options) {
  TRY(target, parse_target(options.url));
  TRY(maker, RequestMaker::make(options, target, false));
  return RequestRun(options, target, std::move(maker)).run();
}

}  // namespace cloister::bench
