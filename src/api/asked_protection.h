// Protections that a request asks for and this node does not give: encryption of bodies or fields, an attested
// upstream, a prompt cache of its own. Such a request is refused with the error of the request's protocol, never served
// without the protection. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/refusal.h"
#include "base/json.h"
#include "http/message.h"

namespace cloister::api {

// Looks at the head alone, before the body is read: headers of ACI's E2EE v2 and the older protocols of the dstack family
// (X-E2EE-*, X-Signing-Algo, X-Client-Pub-Key, X-Model-Pub-Key), NEAR's (X-Encryption-Version, X-Encrypt-All-Fields),
// Venice's (X-Venice-TEE-*), Tinfoil's EHBP (Ehbp-*), and any header whose name mentions encryption or a public key;
// X-Upstream-Verification, which nobody may send; X-Receipt with another word than "inline", or where nothing is signed.
// Names that differ from these only in hyphens and underscores count as these. All lines of a name are checked.
std::optional<Refusal> refused_headers(const http::RequestHead& head, bool has_receipts);

// True when any line of Content-Encoding names a coding other than identity.
bool is_coded(const http::RequestHead& head);

// True for the names of top-level members that refused_members() checks: those below in any spelling, and any name that
// mentions encryption.
bool asks_for_protection(std::string_view member);

// `members`: those of the body, or those for which asks_for_protection() is true. Checks ACI's serving constraints (section 5.3:
// `provider.aci_verified`, `provider.aci_session_ids`), Venice's `venice_parameters.enable_e2ee`, and `cache_salt`, which
// `takes_cache_salt` allows. A value of another type is refused, too: it asks for something. `serves_itself`: there is no second hop.
std::optional<Refusal> refused_members(const Json& members, bool serves_itself, bool takes_cache_salt);

}  // namespace cloister::api
