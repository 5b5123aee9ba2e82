// The writing half of Connection.
#include <algorithm>
#include <array>
#include <utility>

#include "http/connection.h"
#include "http/request_reader.h"

namespace cloister::http {
namespace {

constexpr int kLingerSeconds = 2;
constexpr int kLingerMaxSeconds = 30;

}  // namespace

void Connection::on_mail() {
  const auto keep = self_;
  if (held_) {
    if (const auto release = exchange_->take_release()) release_held(*release);
  } else if (out_.empty()) {
    pump();
  } else if (exchange_->is_overrun()) {
    cut();
  }
}

// Takes everything that the exchange has and writes it at once.
void Connection::pump() {
  ServerExchange::Taken taken = exchange_->take(out_.data());
  if (taken.overrun) return cut();
  last_ = taken.ended;
  aborted_ = taken.aborted;
  if (taken.head != nullptr && taken.streamed) {
    begin_reply(*taken.head, true);
  } else if (taken.head != nullptr) {
    out_.data() = std::move(taken.head->body);
    head_ = std::move(taken.head);
  }
  if (taken.observer != nullptr && !observe(*taken.observer)) {
    held_ = true;
    return;
  }
  send_pumped();
}

// Returns false when the end of the reply has to be held back.
bool Connection::observe(ReplyObserver& observer) {
  const bool body_goes_out = !without_body_ && (head_ == nullptr || status_has_body(head_->status));
  if (!out_.data().empty() && body_goes_out) observer.on_body(out_.data());
  if (aborted_) observer.on_cut();
  return !last_ || observer.on_complete(exchange_) == ReplyObserver::End::kSend;
}

void Connection::send_pumped() {
  if (head_ != nullptr) begin_reply(*std::exchange(head_, nullptr), false);
  if (without_body_) out_.data().clear();
  frame(last_);
  if (flush()) settle();
}

void Connection::release_held(ServerExchange::Release& release) {
  held_ = false;
  if (release.instead != nullptr && head_ == nullptr) {
    last_ = false;
    aborted_ = true;
    out_.data().clear();
  } else if (release.instead != nullptr) {
    out_.data() = std::move(release.instead->body);
    head_ = std::move(release.instead);
  } else if (head_ != nullptr) {
    for (auto& field : release.further) head_->headers.push_back(std::move(field));
  } else if (framing_ == Framing::kChunked) {
    append_trailers(out_.trailers(), release.further);
  }
  send_pumped();
}

void Connection::begin_reply(const Response& head, bool streamed) {
  if (!status_has_body(head.status)) {
    framing_ = Framing::kNone;
    without_body_ = true;
  } else if (!streamed) {
    framing_ = Framing::kLength;
  } else {
    framing_ = http10_ ? Framing::kClose : Framing::kChunked;
  }
  if (framing_ == Framing::kClose || host_.draining()) keep_alive_ = false;
  HeadPlan plan;
  plan.framing = framing_;
  plan.length = out_.data().size();
  plan.keep_alive = keep_alive_;
  plan.http10 = http10_;
  append_head(out_.head(), head, plan, host_.date());
}

void Connection::frame(bool last) {
  if (framing_ == Framing::kChunked && !without_body_) {
    out_.frame_chunk(last);
  } else {
    out_.frame_plain();
  }
}

// Writes what it can. Returns true when all is written; otherwise it continues when the socket can take more.
bool Connection::flush() {
  std::array<iovec, Outbox::kMaxPieces> pieces;
  while (!out_.empty()) {
    const std::size_t count = out_.gather(pieces);
    const net::IoResult wrote = transport_.write({pieces.data(), count}, loop_.tls_scratch());
    if (wrote.status == net::IoStatus::kOk) {
      out_.consume(wrote.bytes);
      if (phase_ == Phase::kReply) deadline_s_ = kNever;
      continue;
    }
    if (wrote.status != net::IoStatus::kWantWrite && wrote.status != net::IoStatus::kWantRead) {
      close();
      return false;
    }
    if (phase_ == Phase::kReply && deadline_s_ == kNever) set_deadline(host_.shared().options.write_timeout_s);
    if (exchange_ != nullptr) exchange_->set_behind();
    if (wrote.status == net::IoStatus::kWantRead) {
      write_wants_read_ = true;
      watch_.want_read();
    } else {
      watch_.want_write();
    }
    return false;
  }
  return true;
}

void Connection::settle() {
  if (aborted_) return end_aborted();
  if (last_) end_reply();
}

void Connection::refuse(int status, std::string_view text) {
  keep_alive_ = false;
  answer(host_.shared().handler.protocol_error(status, text,
                                               reader_ ? std::string_view(reader_->head().path) : std::string_view()));
}

// Sends a reply without an exchange.
void Connection::answer(const Response& response) {
  // Only a "100 Continue" that the client does not take can be in the way.
  if (!out_.empty()) return cut();
  reader_.reset();
  admitted_.reset();
  body_hold_.reset();
  enter(Phase::kReply);
  deadline_s_ = kNever;
  out_.data() = response.body;
  begin_reply(response, false);
  if (without_body_) out_.data().clear();
  last_ = true;
  out_.frame_plain();
  if (flush()) settle();
}

void Connection::say_continue() {
  out_.head() = "HTTP/1.1 100 Continue\r\n\r\n";
  out_.frame_plain();
  flush();
}

void Connection::end_reply() {
  if (exchange_ != nullptr) {
    exchange_->complete();
    exchange_.reset();
  }
  out_.release();
  last_ = false;
  if (!keep_alive_ || host_.draining()) return linger(true);
  enter(Phase::kIdle);
  set_deadline(host_.shared().options.keep_alive_timeout_s);
  if (!processing_) resume_ahead();
}

// The client must see that the reply is not whole. A missing last chunk shows it, and so does TLS without close_notify;
// where the end of the connection is the end of the body, only a reset does.
void Connection::end_aborted() {
  exchange_->complete();
  exchange_.reset();
  if (framing_ == Framing::kClose && !transport_.is_tls()) return cut();
  linger(false);
}

void Connection::linger(bool complete) {
  enter(Phase::kLinger);
  in_ = std::string();
  in_used_ = 0;
  reader_.reset();
  transport_.shut_write(complete);
  linger_until_s_ = loop_.now_s() + kLingerMaxSeconds;
  set_deadline(kLingerSeconds);
  watch_.want_read();
}

// Continues with the bytes that were sent ahead, then with the socket.
void Connection::resume_ahead() {
  if (has_ahead()) {
    std::string bytes = std::exchange(in_, {});
    std::size_t used = std::exchange(in_used_, 0);
    used += process(std::string_view(bytes).substr(used));
    if (used < bytes.size() && phase_ != Phase::kLinger && phase_ != Phase::kClosed) {
      in_ = std::move(bytes);
      in_used_ = used;
    }
  }
  if (wants_more()) watch_.want_read();
}

}  // namespace cloister::http
