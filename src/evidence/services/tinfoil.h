// The attestation documents of Tinfoil's enclaves, versions 2 and 3 (docs/spec/foreign-reports.md, layouts T2 and T3).
// The parser was tested with recorded answers of both versions; no recorded answer with switches exists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/report_data.h"

namespace cloister::evidence {

struct TinfoilDocument {
  int version = 3;   // 2 or 3
  bool snp = false;  // it says that the evidence is SEV-SNP; else a TDX quote
  Bytes evidence;    // TDX quote or SEV-SNP report

  // The members below exist in version 3 alone: in version 2 only report data holds the two keys, and nothing holds a nonce.
  ByteArray<32> tls_key_sha256{};  // of the SubjectPublicKeyInfo of the enclave's TLS key
  ByteArray<32> hpke_key{};        // X25519
  Nonce nonce{};
  std::optional<ByteArray<32>> gpu_evidence_hash, switch_evidence_hash;  // as report_data states them
  std::optional<std::string> gpu_text, switch_text;                      // the members as they stand in the document
  std::optional<std::string> devices;  // GPUs and switches as one list, in the form for parse_nvidia_payload()
  std::string certificate;             // PEM of the TLS certificate; empty when there is none
  Bytes signature;                     // ECDSA in DER, by the key of that certificate; empty when there is none
  std::string signed_text;             // the document with an empty signature
};

// True when a document calls itself one of Tinfoil's, of any version.
bool is_tinfoil_format(std::string_view format);
// True when parse_tinfoil_document() reads this format.
bool is_known_tinfoil_format(std::string_view format);

// `text` is the document as served, at most 16 MiB, and `object` is parse_json() of it. Strict: an unknown member is an
// error, except in version 2, to which resellers add members of their own. Compressed evidence has at most 64 KiB once
// it is unpacked. Errors are kBadReport and name the member.
Result<TinfoilDocument> parse_tinfoil_document(std::string_view text, const Json& object);

// Version 3: the first half of report data. SHA-256 of the TLS key's hash, the HPKE key, the nonce and those of the two
// hashes that exist, 32 bytes each.
ByteArray<32> tinfoil_binding(const TinfoilDocument& document);

}  // namespace cloister::evidence
