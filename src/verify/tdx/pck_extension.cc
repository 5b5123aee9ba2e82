#include "verify/tdx/pck_extension.h"

#include <algorithm>

#include "verify/der.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kSgxExtension = "1.2.840.113741.1.13.1";
// Content octets of 1.2.840.113741.1.13.1.4.
constexpr ByteArray<10> kFmspcOid = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, 0x04};

Error bad_extension(const std::string& what) {
  return fail(ErrorCode::kBadCertificate, "SGX extension of the PCK certificate: " + what);
}

}  // namespace

Result<ByteArray<6>> read_fmspc(const crypto::Certificate& pck) {
  const std::optional<Bytes> extension = pck.extension(kSgxExtension);
  if (!extension) return bad_extension("missing");
  DerReader outer(*extension);
  TRY(list, outer.next(kDerSequence));
  if (!outer.at_end()) return bad_extension("bytes after its end");
  std::optional<ByteArray<6>> fmspc;
  for (DerReader entries(list); !entries.at_end();) {
    TRY(entry, entries.next(kDerSequence));
    DerReader parts(entry);
    TRY(oid, parts.next(kDerOid));
    TRY(value, parts.next());
    if (!parts.at_end()) return bad_extension("an entry has more than two parts");
    if (!equal(oid, kFmspcOid)) continue;
    if (fmspc) return bad_extension("FMSPC occurs twice");
    if (value.tag != kDerOctetString || value.content.size() != 6) return bad_extension("FMSPC is not 6 octets");
    fmspc.emplace();
    std::copy(value.content.begin(), value.content.end(), fmspc->begin());
  }
  if (!fmspc) return bad_extension("no FMSPC");
  return *fmspc;
}

}  // namespace cloister::verify
