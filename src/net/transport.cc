#include "net/transport.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cloister::net {
namespace {

constexpr std::size_t kTlsRecordBytes = 16u << 10;

IoResult socket_failure(IoStatus want) {
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {want, 0};
  return {IoStatus::kFailed, 0};
}

}  // namespace

Transport::Transport(int socket, SSL_CTX* tls) : socket_(socket) {
  if (tls == nullptr) return;
  ssl_.reset(SSL_new(tls));
  usable_ = ssl_ != nullptr && SSL_set_fd(ssl_.get(), socket) == 1;
  if (!usable_) return;
  SSL_set_accept_state(ssl_.get());
}

IoResult Transport::handshake() {
  ERR_clear_error();
  return tls_result(SSL_do_handshake(ssl_.get()), 0);
}

IoResult Transport::tls_result(int returned, std::size_t bytes) {
  if (returned > 0) return {IoStatus::kOk, bytes};
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return {IoStatus::kWantRead, 0};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::kWantWrite, 0};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::kEnd, 0};
    default: return {IoStatus::kFailed, 0};
  }
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
