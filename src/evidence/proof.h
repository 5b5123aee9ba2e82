// A proof file (`cloister.proof.v1`): everything that is needed to verify one reply again, offline. `cloister chat
// --save` writes it, `cloister verify proof` reads it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/chat_signature.h"

namespace cloister::evidence {

struct Proof {
  std::string url;        // informative
  UnixSeconds time = 0;   // when it was made
  std::string nonce_hex;  // 64 digits, the nonce that the report was asked with; empty when there was none
  Bytes request;          // exact body bytes sent
  Bytes response;         // exact body bytes received
  ChatSignature signature;
  std::string report;  // the attestation report as served, JSON text; empty when not saved
  // SHA-256 of the SubjectPublicKeyInfo of the TLS leaf that report and reply came through, as the client saw it;
  // absent when there was no TLS. It is the client's own observation: nobody signs it.
  std::optional<ByteArray<32>> tls_spki_sha256;
};

// JSON object: {"proof":"cloister.proof.v1","url","time","nonce","request","response","signature","report",
// "tls_spki_sha256"}; bytes as base64, the time in RFC 3339, the report as a string that holds its JSON text byte for
// byte, the last member (hex) only when there was TLS.
std::string write_proof(const Proof& proof);
// Accepts at most 64 MiB. An additional member is an error, since a reader must not believe that it was verified.
Result<Proof> parse_proof(std::string_view json_text);

}  // namespace cloister::evidence
