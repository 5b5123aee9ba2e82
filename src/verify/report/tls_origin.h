// Where the private half of a TLS key was made, as far as evidence shows. A key that came from outside proves nothing about
// where a connection ends: whoever brought the key can end the connection in front of the TEE and read everything.
#pragma once

#include <string>

#include "evidence/aci/keyset.h"
#include "verify/expected.h"
#include "verify/policy.h"
#include "verify/report/form.h"
#include "verify/verdict.h"

namespace cloister::verify {

// The check of the key `key_hex` that the evidence binds. It passes for a key that was made inside the TEE. For other
// keys it is skipped and required, unless the policy accepts such keys.
Check bound_tls_key(std::string id, const std::string& key_hex, evidence::TlsKeyOrigin origin, const Policy& policy);
// The check where the evidence binds a key, or says that the service has one, and the key of the connection is not known here: it never
// passes. It is required, unless the report is verified as a document and the key is a born one or the policy accepts others.
Check unseen_tls_key(std::string id, evidence::TlsKeyOrigin origin, const Expected& expected, const Policy& policy);

// The origin as a legacy report states it (docs/spec/legacy-proof.md). The report's own statement counts against the
// key only. A policy document (`cloister_policy`, or `policy`) counts where its digest is the last `cloister-policy`
// event of a log that `verdict` has found to agree with RTMR3. Call it after judge_tee().
evidence::TlsKeyOrigin legacy_tls_key_origin(const ServedReport& report, const Verdict& verdict);

}  // namespace cloister::verify
