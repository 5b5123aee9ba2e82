// Judges the signature of a reply: hashes of the exact bytes, the signature itself, and who the signer is.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "evidence/chat_signature.h"
#include "evidence/proof.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct SignatureEvidence {
  evidence::ChatSignature signature;
  std::optional<ByteView> request;   // exact body bytes; absent = the check is skipped
  std::optional<ByteView> response;
  // What attested_address() gives for a verified report; absent = the check is skipped.
  std::optional<std::string> attested_address;
};

// Checks: signature.text, signature.request_hash, signature.response_hash, signature.form, signature.valid,
// signature.signer_attested.
Verdict verify_signature(const SignatureEvidence& evidence);

// A whole proof: the report in it (with the proof's nonce, at `context.time`), then the signature against the attested address.
Verdict verify_proof(const evidence::Proof& proof, const Context& context);

}  // namespace cloister::verify
