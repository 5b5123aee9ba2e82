#include "verify/snp/endorsement.h"

#include "crypto/pem_text.h"
#include "verify/der.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;

constexpr const char* kProductName = "1.3.6.1.4.1.3704.1.2";
constexpr const char* kBootLoader = "1.3.6.1.4.1.3704.1.3.1";
constexpr const char* kTee = "1.3.6.1.4.1.3704.1.3.2";
constexpr const char* kSnp = "1.3.6.1.4.1.3704.1.3.3";
constexpr const char* kMicrocode = "1.3.6.1.4.1.3704.1.3.8";
constexpr const char* kFmc = "1.3.6.1.4.1.3704.1.3.9";  // Turin
constexpr const char* kHardwareId = "1.3.6.1.4.1.3704.1.4";
constexpr std::uint8_t kDerInteger = 0x02;
constexpr std::uint8_t kDerIa5String = 0x16;

Error bad(const std::string& what) { return fail(ErrorCode::kBadCertificate, "AMD endorsement certificate: " + what); }

Result<ByteView> only_value(ByteView der, std::uint8_t tag) {
  DerReader in(der);
  TRY(value, in.next(tag));
  if (!in.at_end()) return bad("bytes follow the value of an extension");
  return value;
}

Result<std::uint8_t> read_level(const Certificate& certificate, const char* oid) {
  const auto der = certificate.extension(oid);
  if (!der) return bad(std::string("lacks the extension ") + oid);
  TRY(number, only_value(*der, kDerInteger));
  // One byte, or two where a leading zero keeps it positive.
  if (number.size() == 2 && number[0] == 0 && number[1] >= 0x80) return number[1];
  if (number.size() == 1 && number[0] < 0x80) return number[0];
  return bad(std::string("the extension ") + oid + " is not a number from 0 to 255");
}

// AMD puts the bytes there without a tag; an OCTET STRING around them is accepted as well.
Result<Bytes> read_chip_id(ByteView der) {
  if (der.size() == 64 || der.size() == 8) return to_bytes(der);
  TRY(inner, only_value(der, kDerOctetString));
  if (inner.size() == 64 || inner.size() == 8) return to_bytes(inner);
  return bad("a hardware id of " + std::to_string(inner.size()) + " bytes");
}

Result<codec::SnpSigningKey> read_kind(const Certificate& certificate) {
  const std::string name = certificate.subject_common_name();
  if (name == "SEV-VCEK") return codec::SnpSigningKey::kVcek;
  if (name == "SEV-VLEK") return codec::SnpSigningKey::kVlek;
  return bad("expected the name SEV-VCEK or SEV-VLEK");
}

}  // namespace

Result<Endorsement> read_endorsement(const SnpCollateral& collateral, std::span<const AmdRoot> roots) {
  Endorsement out;
  TRY(leaf, Certificate::from_der(collateral.vcek));
  TRY(plain, crypto::without_explanatory_text(as_bytes(collateral.ask_ark)));
  TRY(authorities, crypto::parse_pem_chain(as_bytes(plain), 2));
  if (authorities.size() != 2) return bad("expected two authorities next to it (ASK or ASVK, ARK)");
  if (const AmdRoot* root = find_amd_root(roots, authorities[1])) {
    out.root = root->certificate;
    out.product = root->product;
  }
  TRY(kind, read_kind(leaf));
  out.kind = kind;
  const auto name_der = leaf.extension(kProductName);
  if (!name_der) return bad("names no product");
  TRY(name, only_value(*name_der, kDerIa5String));
  out.product_name = std::string(as_text(name));
  TRY(boot_loader, read_level(leaf, kBootLoader));
  TRY(tee, read_level(leaf, kTee));
  TRY(snp, read_level(leaf, kSnp));
  TRY(microcode, read_level(leaf, kMicrocode));
  out.tcb = {boot_loader, tee, snp, microcode, 0};
  if (out.product == codec::SnpProduct::kTurin) {
    TRY(fmc, read_level(leaf, kFmc));
    out.tcb.fmc = fmc;
  }
  if (const auto id = leaf.extension(kHardwareId)) {
    TRY(chip_id, read_chip_id(*id));
    out.chip_id = std::move(chip_id);
  }
  out.chain = {std::move(leaf), std::move(authorities[0]), std::move(authorities[1])};
  return out;
}

}  // namespace cloister::verify
