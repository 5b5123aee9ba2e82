// The headers that ACI wants on every answer (section 5.2), errors included. Hints: nothing is proven by them.
#pragma once

#include "evidence/aci/receipt.h"
#include "http/message.h"
#include "serve/identity.h"

namespace cloister::serve {

// Adds them, unless the answer has those of the epoch that it was made in already.
inline void add_aci_headers(const Epoch& epoch, http::Headers& headers) {
  if (http::find_header(headers, "x-aci-keyset-digest")) return;
  headers.emplace_back("x-aci-version", evidence::kAciVersion);
  headers.emplace_back("x-aci-keyset-digest", epoch.keyset_digest_text);
}

}  // namespace cloister::serve
