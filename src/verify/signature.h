// Verifies the signature of a reply: hashes of the exact bytes, the signature itself, and who the signer is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "evidence/chat_signature.h"
#include "evidence/proof.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct SignatureEvidence {
  evidence::ChatSignature signature;
  std::optional<ByteView> request;  // exact body bytes; absent = the check is skipped
  std::optional<ByteView> response;
  // The result of attested_address() for a verified report; absent = the check is skipped.
  std::optional<std::string> attested_address;
  // Further instances that the report lists: any of them may have signed.
  std::vector<std::string> further_addresses = {};
  // The model that was asked for: a text of three parts must name it. Absent = the model in the text is a mere fact.
  std::optional<std::string> model = std::nullopt;
};

// A signature whose hashes could not be compared is never accepted. Checks: signature.text, .model, .request_hash, .response_hash,
// .form, .valid, .signer_attested. The report's verdict says whether the policy's rules were applied.
Verdict verify_signature(const SignatureEvidence& evidence);

// A signed text names neither model nor configuration by digest, and the statements of a report about its own time do not count for the
// reply. Where the policy pins one (`model_digests`, `policy_digests`, a model manifest), this adds signature.model_digest or
// signature.policy_digest, skipped and required. Where the policy pins no configuration and the report shows one, signature.policy_digest
// passes if policy.keys did: then no other configuration has these keys. Where the report shows an engine outside the node, this adds
// signature.served_model, skipped and required. Call it for every verdict that has a signature alone; a receipt names both digests.
void check_unnamed_digests(const Policy& policy, Verdict& verdict);

// A signature without a report: the policy's rules cannot be applied (policy.applied).
Verdict verify_bare_signature(const SignatureEvidence& evidence, const Policy& policy);

// Verifies a whole proof: the report in it, at `context.time`, then the signature against the attested addresses.
// `nonce` is the one that the person who asks made. Without it the proof's own nonce opens the report and counts for
// nothing more (verify/file_words.h), and so does the TLS key that the proof says was seen.
Verdict verify_proof(const evidence::Proof& proof, const std::optional<evidence::Nonce>& nonce, const Context& context);

}  // namespace cloister::verify
