// Transport: one non-blocking connected socket, plain or TLS, of a server or of a client. It says what it waits for; the connection does
// the waiting. Loop thread only.
//
// TLS runs on the socket directly instead of through asio::ssl::stream, which keeps two 17 KB buffers for each
// connection for its whole life, while OpenSSL alone frees its record buffers when a connection is idle.
#pragma once

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "net/tls_client.h"

namespace cloister::net {

enum class IoStatus {
  kOk,
  kWantRead,
  kWantWrite,
  kEnd,     // the peer has closed its side properly
  kFailed,  // reset, or not valid TLS
};

struct IoResult {
  IoStatus status = IoStatus::kOk;
  std::size_t bytes = 0;
};

class Transport {
 public:
  // The caller closes `socket`. `tls` may be null; when set it lives as long as this object. The server's side:
  Transport(int socket, SSL_CTX* tls);
  // The client's side:
  Transport(int socket, const TlsClient* tls);

  // False when TLS was asked for and there is no memory for it: nothing may then be read or written.
  bool usable() const { return usable_; }
  bool is_tls() const { return ssl_ != nullptr; }
  IoResult handshake();
  IoResult read(std::span<char> into);
  // True when a read that filled `bytes` may have left more data.
  bool may_have_more(std::size_t bytes, std::size_t asked) const;
  // One gathered write. TLS first copies the pieces into `scratch` (at least a record, 16 KB).
  IoResult write(std::span<const iovec> pieces, std::span<char> scratch);
  // Tells the peer that no more comes. Without `complete` a TLS peer can see that the stream was cut.
  void shut_write(bool complete);

  // What the peer has shown, after the handshake; none without TLS.
  std::optional<ByteArray<32>> peer_spki_sha256() const;
  // Why a read or a write failed; what the kernel or OpenSSL says.
  std::string failure() const;
  // Why a client's handshake with the server of this name failed: kBadCertificate where what the server shows is not accepted, else kNetwork.
  Error handshake_failure(const std::string& name) const;

 private:
  void attach(std::unique_ptr<SSL, SslDelete> ssl);
  IoResult tls_result(int returned, std::size_t bytes);
  IoResult socket_failure(IoStatus want);

  int socket_;
  bool usable_ = true;
  unsigned long failure_ = 0;  // an errno, or a code of OpenSSL's, which is larger than every errno
  std::unique_ptr<SSL, SslDelete> ssl_;
};

}  // namespace cloister::net
