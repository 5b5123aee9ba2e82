// The keyset document: the public keys of a node in ACI's form (docs/spec/native-report.md, "Keyset"), and when it is
// in use. Both are functions of the keys and of the time alone, so replicas with the same keys, and a node before and
// after a restart, have the same document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "evidence/aci/keyset.h"
#include "identity/keyring.h"

namespace cloister::identity {

inline constexpr std::string_view kReceiptKeyId = "receipt-1";
inline constexpr std::string_view kTlsKeyId = "tls-1";

// The document in canonical form (RFC 8785). `tls_spki_sha256`: of the TLS leaf's SubjectPublicKeyInfo, where the node
// ends TLS itself. The key's mark says where the key was made. A key that was not made inside the TEE is listed under
// its mark alone and not among `tls_public_keys`, where ACI (section 3.3) lists only keys that were never outside.
std::string keyset_document(const Keyring& keyring, const std::optional<ByteArray<32>>& tls_spki_sha256,
                            evidence::TlsKeyOrigin tls_key_origin, UnixSeconds not_after);

// Divides time into periods, each half as long as a keyset is valid: the document of a period is used from its beginning,
// and is valid until the end of the next one. So a client that has the former document can use it for another whole period.
class KeysetPeriods {
 public:
  explicit KeysetPeriods(int lifetime_days) : length_s_(lifetime_days * std::int64_t{43200}) {}
  std::int64_t length_s() const { return length_s_; }
  // Times before 1970 count as 1970.
  std::int64_t index(UnixSeconds now) const { return now <= 0 ? 0 : now / length_s_; }
  UnixSeconds begin(std::int64_t index) const { return index * length_s_; }
  UnixSeconds not_after(std::int64_t index) const { return (index + 2) * length_s_; }

 private:
  std::int64_t length_s_;
};

}  // namespace cloister::identity
