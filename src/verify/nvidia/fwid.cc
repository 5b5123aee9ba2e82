#include "verify/nvidia/fwid.h"

#include <algorithm>

#include "verify/der.h"
#include "verify/nvidia/tcb_info.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kHopperOid = "2.23.133.5.4.1";
// SEQUENCE { OID SHA-384, OCTET STRING (48) } is 63 bytes long and ends Hopper's extension.
constexpr std::size_t kFwidEntrySize = 63;

Error bad_fwid(const std::string& what) { return fail(ErrorCode::kBadCertificate, "FWID of the certificate: " + what); }

// SEQUENCE { hash algorithm, digest }.
Result<std::optional<ByteArray<48>>> read_entry(DerReader& reader) {
  TRY(entry, reader.next(kDerSequence));
  DerReader parts(entry);
  TRY(algorithm, parts.next(kDerOid));
  TRY(digest, parts.next(kDerOctetString));
  if (!parts.at_end() || !equal(algorithm, kSha384Oid) || digest.size() != 48) {
    return bad_fwid("expected one SHA-384 digest");
  }
  ByteArray<48> out;
  std::copy(digest.begin(), digest.end(), out.begin());
  return std::optional(out);
}

Result<std::optional<ByteArray<48>>> first_of(const TcbInfo& info) {
  if (info.fwids.empty()) return bad_fwid("TcbInfo has no digest");
  const Fwid& first = info.fwids.front();
  if (!equal(first.algorithm, kSha384Oid) || first.digest.size() != 48) return bad_fwid("expected one SHA-384 digest");
  ByteArray<48> out;
  std::copy(first.digest.begin(), first.digest.end(), out.begin());
  return std::optional(out);
}

}  // namespace

Result<std::optional<ByteArray<48>>> read_fwid(const crypto::Certificate& leaf) {
  if (const std::optional<Bytes> extension = leaf.extension(kHopperOid)) {
    if (extension->size() < kFwidEntrySize) return bad_fwid("the extension is too short");
    DerReader tail(ByteView(*extension).last(kFwidEntrySize));
    TRY(fwid, read_entry(tail));
    if (!tail.at_end()) return bad_fwid("the extension does not end in a SHA-384 digest");
    return fwid;
  }
  TRY(info, read_tcb_info(leaf));
  return info ? first_of(*info) : Result<std::optional<ByteArray<48>>>(std::optional<ByteArray<48>>());
}

}  // namespace cloister::verify
