#include <utility>

#include "http/outgoing.h"
#include "net/address_kind.h"

namespace cloister::http {

std::string authority_of(const Url& url) {
  return (url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

Result<OutgoingTarget> resolve_target(const Url& url) {
  OutgoingTarget target;
  if (!url.unix_socket.empty()) {
    TRY(address, net::unix_socket_address(url.unix_socket));
    target.name = url.unix_socket;
    target.addresses = {address};
    return target;
  }
  target.name = authority_of(url);
  TRY(addresses, net::resolve(url.host, url.port));
  target.addresses = std::move(addresses);
  return target;
}

Result<OutgoingTarget> resolve_private(const Url& url) {
  if (url.tls) return fail(ErrorCode::kUsage, "expected http, got https");
  if (!url.unix_socket.empty()) return resolve_target(url);
  // A policy document calls this name the same machine: no hosts file and no name server decides about it (RFC 6761, section 6.3).
  Url asked = url;
  if (asked.host == "localhost") asked.host = "127.0.0.1";
  TRY(target, resolve_target(asked));
  target.name = authority_of(url);
  target.addresses.resize(1);
  if (!net::is_private_address(target.addresses.front().storage)) {
    return fail(ErrorCode::kUsage, url.host + " is a public address: prompts would cross a public network unencrypted");
  }
  return target;
}

Result<OutgoingTarget> resolve_tls(const Url& url, net::ServerTrust trust) {
  if (!url.tls || !url.unix_socket.empty()) return fail(ErrorCode::kUsage, "expected https");
  TRY(tls, net::TlsClient::make(url.host, std::move(trust)));
  TRY(target, resolve_target(url));
  target.tls = std::move(tls);
  return target;
}

}  // namespace cloister::http
