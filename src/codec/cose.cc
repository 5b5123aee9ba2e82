#include "codec/cose.h"

#include "codec/cbor.h"
#include "crypto/hash.h"

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

constexpr std::uint64_t kSign1Tag = 18;
// Labels of headers (IANA "COSE Header Parameters") and the algorithm's number.
constexpr std::uint64_t kAlgorithm = 1, kCritical = 2, kX5Chain = 33, kX5t = 34;
constexpr std::int64_t kEs384 = -35;
constexpr std::int64_t kSha256 = -16, kSha384 = -43;
constexpr std::size_t kMostCertificates = 8;
constexpr std::size_t kSignatureSize = 96;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadRim, "COSE signature: " + what); }

Result<std::vector<Bytes>> read_chain(const CborValue& value) {
  if (value.is(Kind::kBytes)) return std::vector<Bytes>{value.bytes};
  std::vector<Bytes> out;
  if (!value.is(Kind::kArray) || value.items.size() < 2 || value.items.size() > kMostCertificates) {
    return malformed("expected x5chain to be a certificate or a list of 2 to 8");
  }
  for (const CborValue& item : value.items) {
    if (!item.is(Kind::kBytes)) return malformed("expected x5chain to hold certificates");
    out.push_back(item.bytes);
  }
  return out;
}

// [algorithm, digest] of the signer's certificate.
Result<void> check_thumbprint(const CborValue& value, const Bytes& certificate) {
  const bool form = value.is(Kind::kArray) && value.items.size() == 2 && value.items[1].is(Kind::kBytes);
  const std::optional<std::int64_t> algorithm = form ? value.items[0].integer() : std::nullopt;
  if (algorithm == kSha256 && equal(value.items[1].bytes, crypto::sha256(certificate))) return {};
  if (algorithm == kSha384 && equal(value.items[1].bytes, crypto::sha384(certificate))) return {};
  return malformed("x5t is not the SHA-256 or SHA-384 digest of the signer's certificate");
}

Bytes signed_bytes_of(ByteView protected_header, ByteView payload) {
  constexpr std::string_view kContext = "Signature1";
  Bytes out;
  append_cbor_head(out, 4, 4);
  append_cbor_head(out, 3, kContext.size());
  append(out, as_bytes(kContext));
  append_cbor_bytes(out, protected_header);
  append_cbor_bytes(out, {});
  append_cbor_bytes(out, payload);
  return out;
}

// The protected header of write_cose_sign1().
Bytes protected_header_of(const std::vector<Bytes>& certificates) {
  Bytes out;
  append_cbor_head(out, 5, 2);
  append_cbor_head(out, 0, kAlgorithm);
  append_cbor_head(out, 1, static_cast<std::uint64_t>(-1 - kEs384));
  append_cbor_head(out, 0, kX5Chain);
  if (certificates.size() != 1) append_cbor_head(out, 4, certificates.size());
  for (const Bytes& certificate : certificates) append_cbor_bytes(out, certificate);
  return out;
}

}  // namespace

Result<CoseSign1> parse_cose_sign1(ByteView bytes) {
  TRY(item, parse_cbor(bytes));
  const CborValue* parts = item.tagged(kSign1Tag);
  if (parts == nullptr || !parts->is(Kind::kArray) || parts->items.size() != 4) {
    return malformed("expected COSE_Sign1, tagged 18");
  }
  const CborValue& header = parts->items[0];
  const CborValue& unprotected = parts->items[1];
  const CborValue& payload = parts->items[2];
  const CborValue& signature = parts->items[3];
  if (!header.is(Kind::kBytes) || !unprotected.is(Kind::kMap)) return malformed("expected two headers");
  if (!payload.is(Kind::kBytes)) return malformed("expected the payload inside");
  if (!signature.is(Kind::kBytes) || signature.bytes.size() != kSignatureSize) {
    return malformed("expected a signature of 96 bytes");
  }
  TRY(protected_header, parse_cbor(header.bytes));
  if (!protected_header.is(Kind::kMap)) return malformed("expected the protected header to be a map");
  const CborValue* algorithm = protected_header.member(kAlgorithm);
  if (algorithm == nullptr || algorithm->integer() != kEs384 || unprotected.member(kAlgorithm) != nullptr) {
    return malformed("expected the algorithm ES384 in the protected header alone");
  }
  if (protected_header.member(kCritical) != nullptr || unprotected.member(kCritical) != nullptr) {
    return malformed("critical headers are not understood");
  }
  const CborValue* inside = protected_header.member(kX5Chain);
  const CborValue* outside = unprotected.member(kX5Chain);
  if ((inside == nullptr) == (outside == nullptr)) return malformed("expected x5chain in one of the headers");
  CoseSign1 out;
  TRY(chain, read_chain(inside != nullptr ? *inside : *outside));
  out.certificates = std::move(chain);
  if (const CborValue* thumbprint = protected_header.member(kX5t); thumbprint != nullptr) {
    TRY_VOID(check_thumbprint(*thumbprint, out.certificates.front()));
  }
  out.payload = payload.bytes;
  out.signature = signature.bytes;
  out.signed_bytes = signed_bytes_of(header.bytes, payload.bytes);
  return out;
}

Bytes cose_signed_bytes(const std::vector<Bytes>& certificates, ByteView payload) {
  return signed_bytes_of(protected_header_of(certificates), payload);
}

Bytes write_cose_sign1(const std::vector<Bytes>& certificates, ByteView payload, ByteView signature) {
  Bytes out;
  append_cbor_head(out, 6, kSign1Tag);
  append_cbor_head(out, 4, 4);
  append_cbor_bytes(out, protected_header_of(certificates));
  append_cbor_head(out, 5, 0);
  append_cbor_bytes(out, payload);
  append_cbor_bytes(out, signature);
  return out;
}

}  // namespace cloister::codec
