// Checks that the keys which a gateway pinned are those that the upstream's own evidence binds.
#pragma once

#include "base/json.h"
#include "evidence/aci/session.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::verify {

// What to expect of the upstream's report, so that it answers for the gateway's channel: the TLS key that the gateway
// pinned, and the encryption key of the report's keyset that has the pinned hash.
Expected expected_of_channel(const evidence::Session& session, const Json& report);

// session.channel, after that report was verified with what `asked` holds. `upstream` is null where there was nothing
// to verify.
Check check_session_channel(const evidence::Session& session, const Expected& asked, const Verdict* upstream);

}  // namespace cloister::verify
