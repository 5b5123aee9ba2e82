#include "http/outgoing_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/file_descriptor.h"
#include "net/address_kind.h"

namespace cloister::http {
namespace {

constexpr int kReadsInARow = 4;
constexpr int kMaxInterimResponses = 8;
constexpr int kKeepIdleSeconds = 60;

std::string within(int seconds) { return " within " + std::to_string(seconds) + " s"; }

}  // namespace

OutgoingConnection::OutgoingConnection(net::Loop& loop, OutgoingKeeper& keeper,
                                       std::shared_ptr<const OutgoingTarget> target)
    : loop_(loop), keeper_(keeper), target_(std::move(target)) {}

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
  make_reader();
  if (phase_ == Phase::kNew) {
    set_deadline(request_.connect_timeout_s);
    connect_next();
  } else {
    begin_sending();
  }
  return phase_ == Phase::kClosed ? nullptr : call;
}

void OutgoingConnection::make_reader() {
  reader_.emplace(static_cast<OutgoingReader::Owner&>(*this), request_.keep_header);
  if (request_.secret_response) reader_->keep_secret();
}

void OutgoingConnection::set_deadline(int seconds_from_now) { deadline_s_ = loop_.now_s() + seconds_from_now + 1; }

void OutgoingConnection::note_progress() {
  if (phase_ == Phase::kBody) return set_deadline(request_.idle_timeout_s);
  if (phase_ != Phase::kHead || request_.head_idle_timeout_s == 0) return;
  set_deadline(request_.head_idle_timeout_s);
  deadline_s_ = std::min(deadline_s_, head_by_s_);
}

void OutgoingConnection::connect_next() {
  while (next_address_ < target_->addresses.size()) {
    const net::SocketAddress& address = target_->addresses[next_address_++];
    leaves_machine_plain_ = target_->tls == nullptr && !net::is_loopback_address(address.storage);
    if (open_socket(address)) return on_connected();
    if (connect_error_ != EINPROGRESS) continue;
    phase_ = Phase::kConnecting;
    return watch_->want_write();
  }
  const std::string why = std::generic_category().message(connect_error_);
  fail(OutgoingFailure::kConnect,
       cloister::fail(ErrorCode::kNetwork, "cannot connect to " + target_->name + ": " + why));
}

// Returns true when the socket is connected; otherwise connect_error_ says why not, or EINPROGRESS.
bool OutgoingConnection::open_socket(const net::SocketAddress& address) {
  watch_.reset();
  FileDescriptor socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  connect_error_ = errno;
  if (socket.get() < 0) return false;
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const bool connected = ::connect(socket.get(), address.get(), address.size) == 0;
  connect_error_ = errno;
  if (!connected && connect_error_ != EINPROGRESS) return false;
  try {
    watch_.emplace(loop_.events(), socket.get(), static_cast<net::Watch::Owner&>(*this));
  } catch (const std::system_error& error) {
    // Out of memory or of epoll entries: only this request is affected.
    connect_error_ = error.code().value();
    return false;
  }
  transport_.emplace(socket.release(), target_->tls.get());
  return connected;
}

void OutgoingConnection::on_ready(bool readable, bool writable) {
  const auto keep = self_;
  if (readable) on_readable();
  if (writable && phase_ != Phase::kClosed) on_writable();
}

void OutgoingConnection::on_readable() {
  switch (phase_) {
    case Phase::kHandshake: return shake_hands();
    case Phase::kIdle:
      // A kept connection should be silent: if it is not, it has ended, or the peer breaks the rules. Only TLS may have something to say
      // that is not for us.
      if (transport_->read(loop_.read_scratch()).status != net::IoStatus::kWantRead) return close();
      return watch_->want_read();
    case Phase::kHead:
    case Phase::kBody:
      if (std::exchange(write_wants_read_, false)) send_more();
      if (!paused_) read_available();
      return;
    default: return;
  }
}

void OutgoingConnection::on_writable() {
  if (phase_ == Phase::kConnecting) return finish_connect();
  if (phase_ == Phase::kHandshake) return shake_hands();
  if (phase_ != Phase::kHead && phase_ != Phase::kBody) return;
  if (sent_ < to_send_) send_more();
  if (std::exchange(read_wants_write_, false) && !paused_) read_available();
}

void OutgoingConnection::finish_connect() {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(watch_->descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  connect_error_ = error;
  error == 0 ? on_connected() : connect_next();
}

void OutgoingConnection::on_connected() {
  if (target_->tls == nullptr) return begin_sending();
  phase_ = Phase::kHandshake;
  set_deadline(request_.connect_timeout_s);
  if (transport_->usable()) return shake_hands();
  fail(OutgoingFailure::kTls, cloister::fail(ErrorCode::kCrypto, "no memory for TLS with " + target_->name));
}

void OutgoingConnection::shake_hands() {
  switch (transport_->handshake().status) {
    case net::IoStatus::kWantRead: return watch_->want_read();
    case net::IoStatus::kWantWrite: return watch_->want_write();
    case net::IoStatus::kOk: break;
    default: return fail(OutgoingFailure::kTls, transport_->handshake_failure(target_->name));
  }
  spki_sha256_ = transport_->peer_spki_sha256();
  // A handshake without a certificate has not compared the key.
  if (target_->tls->accepts(spki_sha256_)) return begin_sending();
  fail(OutgoingFailure::kTls, cloister::fail(ErrorCode::kBadCertificate, target_->name + " has shown no certificate"));
}

void OutgoingConnection::begin_sending() {
  phase_ = Phase::kHead;
  set_deadline(request_.first_byte_timeout_s);
  head_by_s_ = deadline_s_;
  note_progress();
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
    const net::IoResult wrote = transport_->write({pieces.data(), count}, loop_.tls_scratch());
    if (wrote.status == net::IoStatus::kWantWrite) {
      watch_->want_write();
      break;
    }
    write_wants_read_ = wrote.status == net::IoStatus::kWantRead;
    if (write_wants_read_) break;
    // A server that refuses a request may answer before it has read all of it: the answer says more.
    cannot_send_ = wrote.status != net::IoStatus::kOk;
    sent_ += wrote.bytes;
    if (wrote.bytes > 0) note_progress();
  }
  watch_->want_read();
}

void OutgoingConnection::read_available() {
  const auto keep = shared_from_this();
  const std::span<char> buffer = loop_.read_scratch();
  for (int i = 0; i < kReadsInARow && !paused_; ++i) {
    const net::IoResult got = transport_->read(buffer);
    if (got.status == net::IoStatus::kWantRead) break;
    if (got.status == net::IoStatus::kWantWrite) {
      read_wants_write_ = true;
      return watch_->want_write();
    }
    if (got.status == net::IoStatus::kEnd) return end_of_input();
    broke_ = got.status != net::IoStatus::kOk;
    if (broke_) return fail_early();
    got_bytes_ = true;
    feed({buffer.data(), got.bytes});
    if (phase_ != Phase::kHead && phase_ != Phase::kBody) return;
    note_progress();
    if (!transport_->may_have_more(got.bytes, buffer.size())) break;
  }
  if (!paused_) watch_->want_read();
}

void OutgoingConnection::feed(std::string_view bytes) { take(reader_->feed(bytes)); }

void OutgoingConnection::end_of_input() {
  if (got_bytes_ && reader_->feed_end() == OutgoingReader::Event::kDone) {
    cannot_send_ = true;  // no longer useful
    return complete();
  }
  fail_early();
}

void OutgoingConnection::fail_early() {
  const bool stale = used_before_ && !got_bytes_;
  std::string message;
  if (broke_) {
    message = "the connection to " + target_->name + " broke: " + transport_->failure();
  } else {
    const bool has_head = reader_ && reader_->has_head();
    message = std::string("the server closed the connection before ") +
              (has_head ? "the end of the response" : "it answered");
  }
  fail(stale ? OutgoingFailure::kStale : OutgoingFailure::kClosed,
       cloister::fail(ErrorCode::kNetwork, std::move(message)));
}

void OutgoingConnection::fail_malformed(const std::string& why) {
  fail(OutgoingFailure::kMalformed, cloister::fail(ErrorCode::kBadHttp, why));
}

void OutgoingConnection::take(OutgoingReader::Event event) {
  while (event == OutgoingReader::Event::kInterim) {
    if (++interim_ > kMaxInterimResponses) return fail_malformed("the server sent interim responses only");
    if (request_.secret_response && reader_->has_rest()) return fail_malformed("the server sent an interim response");
    const std::string rest = reader_->take_rest();
    make_reader();
    event = reader_->feed(rest);
  }
  if (sink_ == nullptr) return;  // cancelled in the meantime
  if (event == OutgoingReader::Event::kMalformed)
    return fail_malformed("the server's response is not valid HTTP/1.1: " + reader_->fault());
  if (event == OutgoingReader::Event::kDone) complete();
}

void OutgoingConnection::on_response_head(OutgoingHead head) {
  if (sink_ == nullptr) return;
  phase_ = Phase::kBody;
  set_deadline(request_.idle_timeout_s);
  head.tls_spki_sha256 = spki_sha256_;
  head.leaves_machine_plain = leaves_machine_plain_;
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
  watch_->want_read();
  keeper_.keep(shared_from_this());
  sink->on_end();
}

void OutgoingConnection::fail(OutgoingFailure failure, Error error) {
  if (const auto sink = shut()) sink->on_failed(failure, error);
}

std::shared_ptr<OutgoingSink> OutgoingConnection::shut() {
  if (phase_ == Phase::kClosed) return nullptr;
  const auto keep = std::move(self_);
  const bool idle = phase_ == Phase::kIdle;
  phase_ = Phase::kClosed;
  if (watch_) watch_->close();
  keeper_.remove(*this, idle);
  request_ = {};
  if (call_ != nullptr) call_->connection_ = nullptr;
  call_.reset();
  return std::exchange(sink_, nullptr);
}

void OutgoingConnection::close() { fail_early(); }

void OutgoingConnection::on_tick() {
  if (loop_.now_s() < deadline_s_ || paused_) return;
  switch (phase_) {
    case Phase::kConnecting: return fail(OutgoingFailure::kConnectTimeout, timeout_error());
    case Phase::kHandshake: return fail(OutgoingFailure::kTlsTimeout, timeout_error());
    default: return fail(OutgoingFailure::kTimeout, timeout_error());
  }
}

Error OutgoingConnection::timeout_error() const {
  const std::string& name = target_->name;
  std::string message;
  if (phase_ == Phase::kConnecting) {
    message = "no connection to " + name + within(request_.connect_timeout_s);
  } else if (phase_ == Phase::kHandshake) {
    message = "no TLS handshake with " + name + within(request_.connect_timeout_s);
  } else if (phase_ == Phase::kHead && deadline_s_ == head_by_s_) {
    message = name + " did not answer" + within(request_.first_byte_timeout_s);
  } else {
    const int silent_s = phase_ == Phase::kHead ? request_.head_idle_timeout_s : request_.idle_timeout_s;
    message = name + (sent_ < to_send_ ? " took" : " sent") + " nothing for " + std::to_string(silent_s) + " s";
  }
  return cloister::fail(ErrorCode::kTimeout, std::move(message));
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
  connection_->watch_->want_read();
}

}  // namespace cloister::http
