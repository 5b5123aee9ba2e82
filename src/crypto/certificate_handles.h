// Private to src/crypto: what a Certificate holds, and readers that certificates and revocation lists share.
#pragma once

#include "crypto/openssl_handles.h"
#include "crypto/x509.h"

namespace cloister::crypto {

struct Certificate::Impl {
  X509Ptr x509;
  Bytes der;
  UnixSeconds not_before;
  UnixSeconds not_after;
};

// Not through time_t, and so good for the year 9999 everywhere. `name` is for the message.
Result<UnixSeconds> to_unix(const ASN1_TIME* time, const char* name);
// The one common name, as UTF-8; empty when there is none, or more than one.
std::string common_name(const X509_NAME* name);

}  // namespace cloister::crypto
