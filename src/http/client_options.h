// How requests to another server are made, and what comes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "http/message.h"

namespace cloister::http {

// How far a request may go without encryption. The address of each connection decides, not the name in the URL.
enum class PlainHttp { kThisMachine, kPrivateNetwork, kAnywhere };

struct ClientOptions {
  int connect_timeout_s = 10;
  int idle_timeout_s = 300;  // between two reads
  // From connecting to the last byte, however many pieces come and however small they are. With post_json_streaming()
  // it lasts to the end of the response's head; between the pieces of the body only idle_timeout_s counts.
  int total_timeout_s = 300;
  std::uint64_t response_limit_bytes = 64u << 20;
  std::string bearer_token;  // empty = none
  Headers headers = {};      // further headers, whose names and values have no spaces or control characters
  // The answer holds a secret: no copy of it stays in memory that was used for reading. The caller has to wipe `body`.
  // The limit on the response is then allocated at once.
  bool secret_response = false;
  // TLS: the web's trust is not required, since the channel's key is compared with the quote. With this set the
  // certificate chain is verified with the system's store as well.
  bool verify_web_pki = true;
  // TLS: the SHA-256 of the SubjectPublicKeyInfo that the server's leaf certificate must have. It is compared in the
  // handshake: with another key there is no connection, and no byte of a request has been written. This holds without
  // verify_web_pki, too. An error with a URL that is not TLS.
  std::optional<ByteArray<32>> pinned_spki_sha256 = std::nullopt;
  // http without TLS to any other address is refused with kUsage before anything is sent. With kAnywhere a bearer token
  // is refused for every address that is not of this machine.
  PlainHttp plain_http = PlainHttp::kThisMachine;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;  // as transported, without chunk framing
  // SHA-256 of the peer's SubjectPublicKeyInfo; TLS only.
  std::optional<ByteArray<32>> tls_spki_sha256;
  bool unencrypted = false;  // plain http, and the server's address is not of this machine
};

}  // namespace cloister::http
