#include "http/outgoing_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

namespace cloister::http {
namespace {

constexpr int kReadsInARow = 4;
constexpr int kMaxInterimResponses = 8;
constexpr int kKeepIdleSeconds = 60;

}  // namespace

OutgoingConnection::OutgoingConnection(net::Loop& loop, OutgoingKeeper& keeper,
                                       std::shared_ptr<const OutgoingTarget> target, int socket, bool connected)
    : loop_(loop),
      keeper_(keeper),
      target_(std::move(target)),
      watch_(loop.events(), socket, *this),
      transport_(socket, nullptr),
      phase_(connected ? Phase::kIdle : Phase::kConnecting) {}

OutgoingConnection::~OutgoingConnection() = default;

std::shared_ptr<OutgoingCall> OutgoingConnection::begin(OutgoingRequest request, std::shared_ptr<OutgoingSink> sink) {
  const auto keep = self_ = shared_from_this();
  const auto call = call_ = std::make_shared<OutgoingCall>(*this);
  request_ = std::move(request);
  sink_ = std::move(sink);
  sent_ = 0;
  to_send_ = request_.head.size();
  for (const std::string_view piece : request_.body) to_send_ += piece.size();
  interim_ = 0;
  got_bytes_ = cannot_send_ = paused_ = false;
  reader_.emplace(static_cast<OutgoingReader::Owner&>(*this), request_.keep_header);
  if (phase_ == Phase::kConnecting) {
    set_deadline(request_.connect_timeout_s);
    watch_.want_write();
    return call;
  }
  phase_ = Phase::kHead;
  set_deadline(request_.first_byte_timeout_s);
  send_more();
  return call;
}

void OutgoingConnection::set_deadline(int seconds_from_now) { deadline_s_ = loop_.now_s() + seconds_from_now + 1; }

void OutgoingConnection::on_ready(bool readable, bool writable) {
  const auto keep = self_;
  if (readable) on_readable();
  if (writable && phase_ != Phase::kClosed) on_writable();
}

void OutgoingConnection::on_writable() {
  if (phase_ == Phase::kConnecting) return finish_connect();
  if (phase_ == Phase::kHead || phase_ == Phase::kBody) send_more();
}

void OutgoingConnection::finish_connect() {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(watch_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return fail(OutgoingFailure::kConnect);
  }
  phase_ = Phase::kHead;
  set_deadline(request_.first_byte_timeout_s);
  send_more();
}

void OutgoingConnection::send_more() {
  while (sent_ < to_send_ && !cannot_send_) {
    std::array<iovec, 4> pieces;
    std::size_t count = 0;
    std::size_t skip = sent_;
    for (std::string_view piece :
         {std::string_view(request_.head), request_.body[0], request_.body[1], request_.body[2]}) {
      if (skip >= piece.size()) {
        skip -= piece.size();
        continue;
      }
      piece.remove_prefix(std::exchange(skip, 0));
      pieces[count++] = iovec{const_cast<char*>(piece.data()), piece.size()};
    }
    const net::IoResult wrote = transport_.write({pieces.data(), count}, {});
    if (wrote.status == net::IoStatus::kWantWrite) {
      watch_.want_write();
      break;
    }
    // A server that refuses a request may answer before it has read all of it: the answer says more.
    cannot_send_ = wrote.status != net::IoStatus::kOk;
    sent_ += wrote.bytes;
  }
  watch_.want_read();
}

void OutgoingConnection::on_readable() {
  // A kept connection should be silent: if it is not, it has ended, or the peer breaks the rules.
  if (phase_ == Phase::kIdle) return close();
  if (paused_ || phase_ == Phase::kConnecting) return;
  read_available();
}

void OutgoingConnection::read_available() {
  const auto keep = shared_from_this();
  const std::span<char> buffer = loop_.read_scratch();
  for (int i = 0; i < kReadsInARow && !paused_; ++i) {
    const net::IoResult got = transport_.read(buffer);
    if (got.status == net::IoStatus::kWantRead) break;
    if (got.status == net::IoStatus::kEnd) return end_of_input();
    if (got.status != net::IoStatus::kOk) return fail(early_end());
    got_bytes_ = true;
    feed({buffer.data(), got.bytes});
    if (phase_ != Phase::kHead && phase_ != Phase::kBody) return;
    if (phase_ == Phase::kBody) set_deadline(request_.idle_timeout_s);
    if (!transport_.may_have_more(got.bytes, buffer.size())) break;
  }
  if (!paused_) watch_.want_read();
}

void OutgoingConnection::feed(std::string_view bytes) { take(reader_->feed(bytes)); }

void OutgoingConnection::end_of_input() {
  if (got_bytes_ && reader_->feed_end() == OutgoingReader::Event::kDone) {
    cannot_send_ = true;  // no longer useful
    return complete();
  }
  fail(early_end());
}

OutgoingFailure OutgoingConnection::early_end() const {
  return used_before_ && !got_bytes_ ? OutgoingFailure::kStale : OutgoingFailure::kClosed;
}

void OutgoingConnection::take(OutgoingReader::Event event) {
  while (event == OutgoingReader::Event::kInterim) {
    if (++interim_ > kMaxInterimResponses) return fail(OutgoingFailure::kMalformed);
    const std::string rest = reader_->take_rest();
    reader_.emplace(static_cast<OutgoingReader::Owner&>(*this), request_.keep_header);
    event = reader_->feed(rest);
  }
  if (sink_ == nullptr) return;  // cancelled in the meantime
  if (event == OutgoingReader::Event::kMalformed) return fail(OutgoingFailure::kMalformed);
  if (event == OutgoingReader::Event::kDone) complete();
}

void OutgoingConnection::on_response_head(OutgoingHead head) {
  if (sink_ == nullptr) return;
  phase_ = Phase::kBody;
  set_deadline(request_.idle_timeout_s);
  const auto sink = sink_;
  sink->on_head(std::move(head));
}

void OutgoingConnection::on_response_body(std::string_view bytes) {
  if (sink_ == nullptr) return;
  const auto sink = sink_;
  sink->on_body(bytes);
}

void OutgoingConnection::complete() {
  if (sent_ < to_send_ || cannot_send_ || !reader_->can_keep_connection()) {
    if (const auto sink = shut()) sink->on_end();
    return;
  }
  phase_ = Phase::kIdle;
  used_before_ = true;
  set_deadline(kKeepIdleSeconds);
  request_ = {};
  if (call_ != nullptr) call_->connection_ = nullptr;
  call_.reset();
  const auto sink = std::move(sink_);
  watch_.want_read();
  keeper_.keep(shared_from_this());
  sink->on_end();
}

void OutgoingConnection::fail(OutgoingFailure failure) {
  if (const auto sink = shut()) sink->on_failed(failure);
}

std::shared_ptr<OutgoingSink> OutgoingConnection::shut() {
  if (phase_ == Phase::kClosed) return nullptr;
  const auto keep = std::move(self_);
  const bool idle = phase_ == Phase::kIdle;
  phase_ = Phase::kClosed;
  watch_.close();
  keeper_.remove(*this, idle);
  request_ = {};
  if (call_ != nullptr) call_->connection_ = nullptr;
  call_.reset();
  return std::exchange(sink_, nullptr);
}

void OutgoingConnection::close() { fail(early_end()); }

void OutgoingConnection::on_tick() {
  if (loop_.now_s() < deadline_s_ || paused_) return;
  fail(phase_ == Phase::kConnecting ? OutgoingFailure::kConnectTimeout : OutgoingFailure::kTimeout);
}

void OutgoingCall::cancel() {
  if (connection_ != nullptr) connection_->shut();
}

void OutgoingCall::pause() {
  if (connection_ != nullptr) connection_->paused_ = true;
}

void OutgoingCall::resume() {
  if (connection_ == nullptr || !connection_->paused_) return;
  connection_->paused_ = false;
  connection_->set_deadline(connection_->request_.idle_timeout_s);
  connection_->watch_.want_read();
}

}  // namespace cloister::http
