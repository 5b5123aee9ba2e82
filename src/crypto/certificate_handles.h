// Private to src/crypto: what a Certificate holds.
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

}  // namespace cloister::crypto
