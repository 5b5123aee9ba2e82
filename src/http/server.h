// HTTP/1.1 server over TCP or TLS 1.3: a few event-loop threads, no thread for each connection, bounded everywhere. It
// knows nothing of models or TEEs.
//
// A client that closes its sending side counts as gone, as with other proxies and servers: a running request is then
// abandoned, so that no model works for nobody. Clients must not half-close before they have their reply.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "http/exchange.h"
#include "http/server_options.h"

namespace cloister::http {

struct ServerStats {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_total = 0;
  std::uint64_t requests_total = 0;
};

class Server {
 public:
  // Binds and starts the threads. The handler must outlive the server.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler& handler);
  virtual ~Server() = default;  // stop() with no grace
  virtual std::uint16_t port() const = 0;
  virtual ServerStats stats() const = 0;
  // Connections that are accepted from now on are shown this certificate; others keep theirs. Any thread. Errors:
  // kBadCertificate, kBadKey; kUsage for a server without TLS. After an error nothing has changed.
  virtual Result<void> set_tls(const net::TlsIdentity& identity) = 0;
  // Stops accepting, waits at most `grace_s` seconds for running exchanges, answers 503 where no reply has begun, closes everything, joins
  // the threads. Called once.
  virtual void stop(int grace_s) = 0;
};

}  // namespace cloister::http
