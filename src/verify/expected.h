// What a report is compared with beside the policy.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "evidence/report_data.h"

namespace cloister::verify {

// What the relying party knows on its own.
struct Expected {
  // The nonce that it made. Without one, freshness is a skipped required check.
  std::optional<evidence::Nonce> nonce;
  // SHA-256 of the SubjectPublicKeyInfo of the server's TLS leaf, when the L2 binding was asked for.
  std::optional<ByteArray<32>> tls_spki_sha256;
  // The report is verified as a document: there is no connection whose key could be compared. Without this, and without a key, evidence
  // that binds TLS keys is undetermined: whoever sits in front of the TEE passes its report on.
  bool no_connection = false;
  // The host of that connection: a keyset may list TLS keys that are valid for one host only.
  std::optional<std::string> tls_host;
  // The public key, as hex, that it encrypts to (field encryption of ACI); the keyset must list it.
  std::optional<std::string> e2ee_public_key;
  // The keys of instances whose evidence comes without them, by instance id (evidence/services/chutes.h).
  std::map<std::string, std::string> instance_keys = {};
};

}  // namespace cloister::verify
