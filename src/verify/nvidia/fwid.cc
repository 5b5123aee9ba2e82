#include "verify/nvidia/fwid.h"

#include <algorithm>

#include "verify/der.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kHopperOid = "2.23.133.5.4.1";
constexpr std::string_view kTcbInfoOid = "2.23.133.5.4.1.1";
// Content octets of 2.16.840.1.101.3.4.2.2, SHA-384.
constexpr ByteArray<9> kSha384Oid = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02};
constexpr std::uint8_t kTcbInfoFwids = 0xa6;  // [6] IMPLICIT, constructed
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

Result<std::optional<ByteArray<48>>> read_tcb_info(ByteView extension) {
  DerReader outer(extension);
  TRY(fields, outer.next(kDerSequence));
  for (DerReader reader(fields); !reader.at_end();) {
    TRY(field, reader.next());
    if (field.tag != kTcbInfoFwids) continue;
    DerReader entries(field.content);
    return read_entry(entries);
  }
  return bad_fwid("TcbInfo has no digest");
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
  if (const std::optional<Bytes> extension = leaf.extension(kTcbInfoOid)) return read_tcb_info(*extension);
  return std::optional<ByteArray<48>>();
}

}  // namespace cloister::verify
