// Verifies a served attestation report: a pure function of (report, what was asked, collateral, policy, time).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "evidence/chat_signature.h"
#include "evidence/report_data.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What the relying party knows on its own.
struct Expected {
  // The nonce that it made. Without one, freshness is a skipped required check.
  std::optional<evidence::Nonce> nonce;
  // SHA-256 of the SubjectPublicKeyInfo of the server's TLS leaf, when the L2 binding was asked for.
  std::optional<ByteArray<32>> tls_spki_sha256;
  // The host of that connection: a keyset may list TLS keys that are valid for one host only.
  std::optional<std::string> tls_host;
  // The public key, as hex, that it encrypts to (field encryption of ACI); the keyset must list it.
  std::optional<std::string> e2ee_public_key;
  // The keys of instances whose evidence comes without them, by instance id (evidence/services/chutes.h).
  std::map<std::string, std::string> instance_keys = {};
};

// The addresses of legacy signatures that the quotes in the verified report bind; a reply's signer is compared with
// them. They are those of the report itself and of the instances that it lists; for a gateway's answer they are those
// of its models, never the gateway's own. Empty unless a check report_data.identity passed. The verdict's outcome says
// whether the evidence as a whole can be trusted.
std::vector<std::string> attested_addresses(const Verdict& report_verdict);
// The address of the report itself. Absent for a gateway's answer, which has none of its own.
std::optional<std::string> attested_address(const Verdict& report_verdict);

// Verifies the report as served, in any form (legacy L1 and L2, ACI, Cloister's own, a gateway's wrapping of
// several: docs/spec/legacy-proof.md, docs/spec/native-report.md), at `context.time`; verify/checks.def lists the
// checks. Which kind of TEE it is comes from the chain inside the quote, never from what the report says of
// itself. What needs collateral (patch level, expected measurements, GPU manifests, revocation) is skipped and
// required for real hardware, so that such a verdict is undetermined at best; for the simulated TEE it does not
// apply.
Verdict verify_report(std::string_view report_json, const Expected& expected, const Context& context);

// kUnsupported, with what the JSON seems to be, when it has the marks of no form that verify_report() reads. Every
// other fault of a report is part of the verdict.
Result<void> check_known_form(std::string_view report_json);

}  // namespace cloister::verify
