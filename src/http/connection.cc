#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/log.h"
#include "http/request_reader.h"

namespace cloister::http {
namespace {

// How much a client may send ahead of a reply before its socket is no longer read. One read more may be added.
constexpr std::size_t kAheadBytes = 4u << 10;
// Number of consecutive reads on one connection before the others have their turn.
constexpr int kReadsInARow = 2;
// Number of requests that came together and are answered before the others have their turn.
constexpr int kRequestsInARow = 4;
constexpr int kLingerReadSeconds = 5;

std::string peer_text(const boost::asio::ip::tcp::endpoint& peer) {
  const std::string address = peer.address().to_string();
  const std::string port = std::to_string(peer.port());
  return peer.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

bool is_loopback(const boost::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

}  // namespace

Connection::Connection(ConnectionHost& host, int socket, const boost::asio::ip::tcp::endpoint& peer,
                       std::string address, bool refused)
    : host_(host),
      loop_(host.loop()),
      watch_(loop_.events(), socket, *this),
      transport_(socket, host.shared().tls.load().get()),
      peer_(peer_text(peer)),
      address_(std::move(address)),
      peer_is_loopback_(is_loopback(peer.address())),
      refused_(refused) {}

Connection::~Connection() = default;

void Connection::start() {
  self_ = shared_from_this();
  group_ = &host_.waiting().join(address_);
  if (!transport_.usable()) return close();
  enter(transport_.is_tls() ? Phase::kHandshake : Phase::kIdle);
  if (transport_.is_tls()) {
    set_deadline(host_.shared().options.header_timeout_s);
  } else {
    set_deadline(host_.shared().options.keep_alive_timeout_s);
  }
  watch_.want_read();
}

void Connection::enter(Phase phase) {
  phase_ = phase;
  if (parked_ != nullptr && phase != Phase::kParked) std::exchange(parked_, nullptr)->detach();
  const bool waits = phase != Phase::kReply && phase != Phase::kClosed;
  if (waits == waits_ || group_ == nullptr) return;
  waits_ = waits;
  waits ? group_->add(*this) : group_->remove(*this);
}

void Connection::set_deadline(int seconds_from_now) {
  // The clock moves in whole seconds: one second is added, so that no client is cut early.
  deadline_s_ = loop_.now_s() + seconds_from_now + 1;
}

void Connection::on_ready(bool readable, bool writable) {
  const auto keep = self_;
  if (readable) on_readable();
  if (writable && phase_ != Phase::kClosed) on_writable();
}

void Connection::on_readable() {
  if (std::exchange(write_wants_read_, false)) on_writable();
  switch (phase_) {
    case Phase::kHandshake: continue_handshake(); break;
    case Phase::kLinger: discard_available(); break;
    case Phase::kClosed: return;
    default: read_available(); break;
  }
  if (wants_more()) watch_.want_read();
}

void Connection::on_writable() {
  if (std::exchange(read_wants_write_, false)) on_readable();
  if (phase_ == Phase::kHandshake) return continue_handshake();
  if (phase_ == Phase::kClosed || out_.empty() || !flush()) return;
  settle();
  // Everything that came while the socket was behind is sent as one chunk.
  if (exchange_ != nullptr && out_.empty() && !last_ && !aborted_) pump();
  if (exchange_ != nullptr && out_.empty() && !last_ && !aborted_) {
    const auto exchange = exchange_;
    exchange->tell_caught_up();
  }
}

void Connection::continue_handshake() {
  switch (transport_.handshake().status) {
    case net::IoStatus::kOk:
      enter(Phase::kIdle);
      set_deadline(host_.shared().options.keep_alive_timeout_s);
      return watch_.want_read();
    case net::IoStatus::kWantRead: return watch_.want_read();
    case net::IoStatus::kWantWrite: return watch_.want_write();
    default: return close();
  }
}

// A client that sends ahead of its replies, of its admission or of its turn is not read until they are there.
bool Connection::wants_more() const {
  return phase_ != Phase::kClosed && !is_queued() && (!reads_ahead() || in_.size() - in_used_ < kAheadBytes);
}

void Connection::read_available() {
  const std::span<char> buffer = loop_.read_scratch();
  for (int i = 0; i < kReadsInARow && wants_more(); ++i) {
    const net::IoResult got = transport_.read(buffer);
    if (got.status == net::IoStatus::kWantWrite) {
      read_wants_write_ = true;
      return watch_.want_write();
    }
    if (got.status == net::IoStatus::kWantRead) return;
    // The end of the client's sending side counts as the end of the client: see server.h.
    if (got.status != net::IoStatus::kOk) return close();
    if (phase_ == Phase::kLinger) return;
    feed({buffer.data(), got.bytes});
    if (!transport_.may_have_more(got.bytes, buffer.size())) return;
  }
}

void Connection::discard_available() {
  const std::span<char> buffer = loop_.read_scratch();
  for (int i = 0; i < kReadsInARow; ++i) {
    const net::IoResult got = transport_.read(buffer);
    if (got.status == net::IoStatus::kWantRead || got.status == net::IoStatus::kWantWrite) return;
    if (got.status != net::IoStatus::kOk) return close();
    deadline_s_ = std::min(loop_.now_s() + kLingerReadSeconds + 1, linger_until_s_);
  }
}

void Connection::feed(std::string_view bytes) {
  if (phase_ == Phase::kBody) {
    set_deadline(host_.shared().options.body_idle_timeout_s);
    deadline_s_ = std::min(deadline_s_, body_deadline_s_);
  }
  if (!has_ahead() && !reads_ahead()) {
    const std::size_t used = process(bytes);
    if (used < bytes.size() && phase_ != Phase::kLinger && phase_ != Phase::kClosed) in_.append(bytes.substr(used));
    return;
  }
  in_.erase(0, std::exchange(in_used_, 0));
  in_.append(bytes);
  if (!reads_ahead()) resume_ahead();
}

void Connection::on_turn() {
  const auto keep = self_;
  resume_ahead();
}

// Takes requests from `bytes` as long as each reply is written at once and the turn lasts; returns how many bytes were used.
std::size_t Connection::process(std::string_view bytes) {
  processing_ = true;
  std::size_t used = 0;
  int requests = 0;
  while (used < bytes.size() && phase_ < Phase::kParked) {
    if (phase_ == Phase::kIdle) {
      if (!skip_blank_lines(bytes, used)) break;
      if (requests++ == kRequestsInARow) {
        loop_.events().queue(*this);
        break;
      }
      enter(Phase::kHead);
      set_deadline(host_.shared().options.header_timeout_s);
      keep_alive_ = http10_ = without_body_ = false;
      framing_ = Framing::kNone;
      // A Unix socket has no host: dstack's own agent requires none there, and its older clients send none.
      const ServerOptions& options = host_.shared().options;
      reader_ = std::make_unique<RequestReader>(options.header_limit_bytes, options.unix_socket.empty());
    }
    const RequestReader::Progress progress = reader_->feed(bytes.substr(used));
    used += progress.used;
    if (phase_ == Phase::kBody && progress.event != RequestReader::Event::kRefused && !charge_body()) {
      refuse(503, "too many bytes of request bodies are in flight, in all or of this client");
      break;
    }
    if (progress.event == RequestReader::Event::kNeedMore) break;
    if (progress.event == RequestReader::Event::kPaused) {
      loop_.events().queue(*this);
      break;
    }
    if (progress.event == RequestReader::Event::kRefused) {
      refuse(reader_->refusal_status(), reader_->refusal_text());
    } else if (progress.event == RequestReader::Event::kHeadDone) {
      on_head(used < bytes.size());
    } else {
      dispatch();
    }
  }
  processing_ = false;
  return used;
}

// Empty lines before a request are tolerated (RFC 9112 section 2.2). Returns false when nothing else is there.
bool Connection::skip_blank_lines(std::string_view bytes, std::size_t& used) const {
  while (used < bytes.size() && (bytes[used] == '\r' || bytes[used] == '\n')) ++used;
  return used < bytes.size();
}

void Connection::on_head(bool body_has_begun) {
  RequestHead& head = reader_->head();
  head.peer = peer_;
  head.peer_is_loopback = peer_is_loopback_;
  http10_ = reader_->is_http10();
  keep_alive_ = reader_->wants_keep_alive();
  without_body_ = head.method == "HEAD";
  host_.shared().requests_total.fetch_add(1, std::memory_order_relaxed);
  if (refused_) return refuse(503, "too many connections");

  std::optional<Admission> admission = host_.shared().handler.admit(head, *this);
  if (admission) return on_admission(*std::move(admission), body_has_begun);
  enter(Phase::kParked);
  set_deadline(host_.shared().options.admission_timeout_s);
}

Connection::Resume Connection::park() {
  ParkedAdmission::Owner& self = *this;
  if (parked_ == nullptr) parked_ = std::make_shared<ParkedAdmission>(loop_.events(), self);
  return [parked = parked_](Decide decide) { parked->resume(std::move(decide)); };
}

void Connection::on_decided(const Decide& decide) {
  const auto keep = self_;
  on_admission(decide(reader_->head()), has_ahead());
  if (phase_ == Phase::kBody) resume_ahead();
}

void Connection::on_admission(Admission admission, bool body_has_begun) {
  if (admission.refusal != nullptr) {
    keep_alive_ = keep_alive_ && reader_->complete();
    return answer(*admission.refusal);
  }
  if (reader_->content_length().value_or(0) > admission.body_limit_bytes) {
    return refuse(413, "the request body is larger than " + std::to_string(admission.body_limit_bytes) + " bytes");
  }
  reader_->set_body_limit(admission.body_limit_bytes);
  admitted_ = std::move(admission.admitted);
  if (reader_->complete()) return dispatch();
  enter(Phase::kBody);
  const ServerOptions& options = host_.shared().options;
  const std::uint64_t most =
      std::min(reader_->content_length().value_or(admission.body_limit_bytes), admission.body_limit_bytes);
  set_deadline(options.body_timeout_s + static_cast<int>(most / std::max<std::uint64_t>(options.body_bytes_per_s, 1)));
  body_deadline_s_ = deadline_s_;
  set_deadline(options.body_idle_timeout_s);
  deadline_s_ = std::min(deadline_s_, body_deadline_s_);
  body_hold_ = std::make_shared<BodyBudget::Hold>(host_.shared().bodies, admission.client);
  if (reader_->expects_continue() && !body_has_begun) say_continue();
}

// Returns false when there is no room for the received part of the body.
bool Connection::charge_body() { return body_hold_->grow(reader_->body_bytes()); }

void Connection::dispatch() {
  Request request = reader_->take();
  reader_.reset();
  enter(Phase::kReply);
  deadline_s_ = kNever;
  exchange_ = std::make_shared<ServerExchange>(loop_, static_cast<ServerExchange::Owner&>(*this), std::move(request),
                                               std::exchange(admitted_, nullptr), std::exchange(body_hold_, nullptr),
                                               host_.shared().options.write_buffer_limit_bytes);
  try {
    host_.shared().handler.handle(exchange_);
  } catch (const std::exception&) {
    // A defect, but one that must not end the other connections. The text could quote the request, so it is not logged.
    log::error("http: a handler threw an exception");
    exchange_->respond(host_.shared().handler.protocol_error(500, "internal error", exchange_->request().path));
    exchange_->abort();
  }
  if (phase_ == Phase::kReply && out_.empty()) pump();
}

void Connection::on_tick() {
  if (loop_.now_s() >= deadline_s_) {
    const auto keep = self_;
    expire();
  }
}

void Connection::expire() {
  switch (phase_) {
    case Phase::kHead: return refuse(408, "the request header did not come in time");
    case Phase::kBody: return refuse(408, "the request body did not come in time");
    case Phase::kParked: return refuse(503, "the request was not admitted in time");
    case Phase::kReply: return cut();
    default: return close();
  }
}

void Connection::on_drain() {
  const auto keep = self_;
  if (phase_ == Phase::kIdle || phase_ == Phase::kHandshake || phase_ == Phase::kLinger) close();
}

void Connection::on_end() {
  const auto keep = self_;
  const bool waits_for_reply =
      phase_ == Phase::kReply && exchange_ != nullptr && framing_ == Framing::kNone && out_.empty() && !held_;
  if (waits_for_reply) std::exchange(exchange_, nullptr)->abandon();
  if (waits_for_reply || phase_ == Phase::kParked || phase_ == Phase::kBody) refuse(503, "the server stops");
  close();
}

void Connection::cut() {
  const struct linger reset { 1, 0 };
  ::setsockopt(watch_.descriptor(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close();
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  const auto keep = std::move(self_);
  enter(Phase::kClosed);
  group_ = nullptr;
  withdraw();
  watch_.close();
  reader_.reset();
  admitted_.reset();
  body_hold_.reset();
  host_.remove(*this);
  const auto exchange = std::move(exchange_);
  if (exchange != nullptr) exchange->abandon();
}

}  // namespace cloister::http
