// Judges a served attestation report: pure function of (report, what was asked, collateral, policy, time).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "evidence/chat_signature.h"
#include "evidence/report_data.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What the relying party knows on its own.
struct Expected {
  // The nonce it made. Without one, freshness is a skipped required check.
  std::optional<evidence::Nonce> nonce;
  // SHA-256 of the SubjectPublicKeyInfo of the TLS leaf it talked to, when it asked for the L2 binding.
  std::optional<ByteArray<32>> tls_spki_sha256;
};

// The address that the quote in the judged report binds: what a reply's signer is compared with. Absent unless the
// check report_data.identity passed. Whether the evidence as a whole is to be believed, the verdict's outcome says.
std::optional<std::string> attested_address(const Verdict& report_verdict);

// Judges the report as served (peers.md sections 1.1, 1.2, 6.1) at `context.time`; the list of checks is verify/checks.def.
// Which kind of TEE it is comes from the chain inside the quote, never from what the report says of itself. What needs
// collateral (patch level, expected measurements, GPU manifests, revocation) is skipped and required for real hardware,
// so that such a verdict is undetermined at best; for the simulated TEE it does not apply.
Verdict verify_report(std::string_view report_json, const Expected& expected, const Context& context);

}  // namespace cloister::verify
