#include "net/transport.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace cloister::net {
namespace {

constexpr std::size_t kTlsRecordBytes = 16u << 10;
constexpr unsigned long kLargestErrno = 4095;

}  // namespace

Transport::Transport(int socket, SSL_CTX* tls) : socket_(socket) {
  if (tls == nullptr) return;
  attach(std::unique_ptr<SSL, SslDelete>(SSL_new(tls)));
  if (usable_) SSL_set_accept_state(ssl_.get());
}

Transport::Transport(int socket, const TlsClient* tls) : socket_(socket) {
  if (tls != nullptr) attach(tls->session());
}

void Transport::attach(std::unique_ptr<SSL, SslDelete> ssl) {
  ssl_ = std::move(ssl);
  usable_ = ssl_ != nullptr && SSL_set_fd(ssl_.get(), socket_) == 1;
}

IoResult Transport::socket_failure(IoStatus want) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {want, 0};
  failure_ = static_cast<unsigned long>(errno);
  return {IoStatus::kFailed, 0};
}

IoResult Transport::handshake() {
  ERR_clear_error();
  return tls_result(SSL_do_handshake(ssl_.get()), 0);
}

IoResult Transport::tls_result(int returned, std::size_t bytes) {
  if (returned > 0) return {IoStatus::kOk, bytes};
  const int system = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return {IoStatus::kWantRead, 0};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::kWantWrite, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::kEnd, 0};
    default:
      failure_ = ERR_peek_error();
      if (failure_ == 0) failure_ = static_cast<unsigned long>(system);
      return {IoStatus::kFailed, 0};
  }
}

std::optional<ByteArray<32>> Transport::peer_spki_sha256() const {
  return ssl_ == nullptr ? std::nullopt : spki_sha256_of(SSL_get0_peer_certificate(ssl_.get()));
}

std::string Transport::failure() const {
  if (failure_ == 0) return "the other side has ended it";
  if (failure_ <= kLargestErrno) return std::generic_category().message(static_cast<int>(failure_));
  const char* const reason = ERR_reason_error_string(failure_);
  return reason != nullptr ? reason : "TLS failed";
}

Error Transport::handshake_failure(const std::string& name) const {
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (verdict == X509_V_ERR_APPLICATION_VERIFICATION)
    return fail(ErrorCode::kBadCertificate, name + " now shows another TLS key than before: nothing was sent to it");
  if (verdict != X509_V_OK) {
    return fail(ErrorCode::kBadCertificate,
                "the TLS certificate of " + name + " is not trusted: " + X509_verify_cert_error_string(verdict));
  }
  if (failure_ > kLargestErrno && ERR_GET_REASON(failure_) == SSL_R_WRONG_VERSION_NUMBER)
    return fail(ErrorCode::kNetwork, name + " does not speak TLS: it may be an http address, not an https one");
  return fail(ErrorCode::kNetwork, "the TLS handshake with " + name + " failed: " + failure());
}

IoResult Transport::read(std::span<char> into) {
  if (ssl_ != nullptr) {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int returned = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    return tls_result(returned, bytes);
  }
  const ssize_t got = ::recv(socket_, into.data(), into.size(), 0);
  if (got > 0) return {IoStatus::kOk, static_cast<std::size_t>(got)};
  if (got == 0) return {IoStatus::kEnd, 0};
  return socket_failure(IoStatus::kWantRead);
}

bool Transport::may_have_more(std::size_t bytes, std::size_t asked) const {
  return bytes >= (ssl_ != nullptr ? std::min(asked, kTlsRecordBytes) : asked);
}

IoResult Transport::write(std::span<const iovec> pieces, std::span<char> scratch) {
  if (ssl_ != nullptr) {
    std::size_t size = 0;
    for (const iovec& piece : pieces) {
      const std::size_t fits = std::min(piece.iov_len, scratch.size() - size);
      std::memcpy(scratch.data() + size, piece.iov_base, fits);
      size += fits;
    }
    std::size_t written = 0;
    ERR_clear_error();
    const int returned = SSL_write_ex(ssl_.get(), scratch.data(), size, &written);
    return tls_result(returned, written);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  const ssize_t sent = ::sendmsg(socket_, &message, MSG_NOSIGNAL);
  if (sent >= 0) return {IoStatus::kOk, static_cast<std::size_t>(sent)};
  return socket_failure(IoStatus::kWantWrite);
}

void Transport::shut_write(bool complete) {
  if (ssl_ != nullptr && complete && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  ::shutdown(socket_, SHUT_WR);
}

}  // namespace cloister::net
