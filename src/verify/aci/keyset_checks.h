// Verifies a keyset, in whatever report: whether it is the named one, whether each key has one role, whether it is
// valid at the time, and which of its keys the channel in use is bound to.
#pragma once

#include "base/bytes.h"
#include "evidence/aci/keyset.h"
#include "verify/report.h"

namespace cloister::verify {

// Adds keyset.digest, keyset.roles, keyset.not_after and the facts `keyset_digest`, `keyset_not_after`,
// `keyset_subject`. `named` is the digest that the report gives for the keyset.
void check_keyset(const evidence::Keyset& keyset, const ByteArray<32>& named, const Context& context, Verdict& verdict);

// Adds report_data.tls and report_data.e2ee: the keys that the client sees in use are in the keyset, and the TLS key was
// made inside the TEE. `bound`: the quote binds the keyset. Adds the fact `tls_key_origin` when a TLS key is in use.
void check_channel(const evidence::Keyset& keyset, bool bound, const Expected& expected, const Policy& policy,
                   Verdict& verdict);

}  // namespace cloister::verify
