// The headers that ACI requires on every answer (section 5.2), including errors. They are hints: they prove nothing.
#pragma once

#include "evidence/aci/receipt.h"
#include "http/message.h"
#include "identity/identity.h"

namespace cloister::api {

// Adds the headers, unless the answer already has those of the epoch that it was made in.
inline void add_aci_headers(const identity::Epoch& epoch, http::Headers& headers) {
  if (http::find_header(headers, "x-aci-keyset-digest")) return;
  headers.emplace_back("x-aci-version", evidence::kAciVersion);
  headers.emplace_back("x-aci-keyset-digest", epoch.keyset_digest_text);
}

}  // namespace cloister::api
