// Judges a served attestation report: pure function of (report, what was asked, policy, time).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "evidence/chat_signature.h"
#include "evidence/report_data.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct Policy {
  // Evidence of the simulated TEE fails unless this is set; the verdict says "insecure_simulator" either way.
  bool accept_simulator = false;
};

// What the relying party knows on its own.
struct Expected {
  // The nonce it made. Without one, freshness is a skipped required check.
  std::optional<evidence::Nonce> nonce;
  // SHA-256 of the SubjectPublicKeyInfo of the TLS leaf it talked to, when it asked for the L2 binding.
  std::optional<ByteArray<32>> tls_spki_sha256;
};

// Checks: form, TEE kind, quote structure, PCK chain to the named root, QE report, quote signature, TD debug,
// report_data L1/L2, GPU evidence (chain, signature, nonce, duplicates), and the parts that need collateral, which
// are skipped and required for real hardware until collateral is given.
Verdict verify_report(std::string_view report_json, const Expected& expected, const Policy& policy, UnixSeconds time);

}  // namespace cloister::verify
