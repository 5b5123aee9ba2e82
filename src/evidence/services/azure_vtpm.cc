#include "evidence/services/azure_vtpm.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/jwt.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReport;
constexpr std::size_t kPcrs = 24;
constexpr std::string_view kKeyName = "HCLAkPub";

Error bad(const std::string& what) { return fail(kCode, what); }

// Numbers of a TPM are big-endian.
class TpmReader {
 public:
  explicit TpmReader(ByteView bytes) : bytes_(bytes) {}

  Result<ByteView> take(std::size_t size) {
    if (size > bytes_.size()) return bad("tpm_quote.message: it ends early");
    const ByteView out = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return out;
  }
  Result<std::uint64_t> number(std::size_t size) {
    TRY(bytes, take(size));
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }
  Result<ByteView> sized() {
    TRY(size, number(2));
    return take(static_cast<std::size_t>(size));
  }
  bool ended() const { return bytes_.empty(); }

 private:
  ByteView bytes_;
};

// The paravisor's report (Microsoft's OpenHCL): 32 bytes of head, 1,184 of the TEE's report, 20 of a second head, the runtime data.
struct HclReport {
  bool snp = false;
  Bytes tee_report;
  std::string runtime_data;
};

std::uint32_t le32(ByteView bytes, std::size_t at) {
  return bytes[at] | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 3]} << 24;
}

Result<HclReport> parse_hcl_report(ByteView bytes) {
  constexpr std::size_t kTee = 32, kTeeSize = 1184, kSecond = kTee + kTeeSize, kRuntime = kSecond + 20;
  constexpr std::uint32_t kSnp = 2, kTdx = 4, kSha256 = 1;
  if (bytes.size() < kRuntime || as_text(bytes.first(4)) != "HCLA")
    return bad("hcl_report: not a report of Azure's paravisor");
  const std::uint32_t kind = le32(bytes, kSecond + 8), hash = le32(bytes, kSecond + 12),
                      size = le32(bytes, kSecond + 16);
  if (kind != kSnp && kind != kTdx) return bad("hcl_report: a TEE of an unknown kind");
  if (hash != kSha256) return bad("hcl_report: expected the hash SHA-256");
  if (size > bytes.size() - kRuntime) return bad("hcl_report: it ends within its runtime data");
  HclReport out;
  out.snp = kind == kSnp;
  out.tee_report = to_bytes(bytes.subspan(kTee, kTeeSize));
  out.runtime_data = as_text(bytes.subspan(kRuntime, size));
  const ByteView rest = bytes.subspan(kRuntime + size);
  if (std::ranges::any_of(rest, [](std::uint8_t byte) { return byte != 0; }))
    return bad("hcl_report: bytes behind its runtime data");
  return out;
}

// Some writers add padding.
Result<Bytes> base64url(const JsonReader& reader, std::string_view name) {
  TRY(text, reader.text(name));
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.pop_back();
  Result<Bytes> bytes = codec::from_base64url(text);
  if (!bytes) return reader.bad(name, bytes.error().message);
  return bytes;
}

// Reads the one signing key in the runtime data.
Result<void> read_runtime_data(AzureEvidence& out) {
  TRY(object, codec::parse_json(out.runtime_data, {64u << 10, 8, 1024}));
  const JsonReader reader(object, kCode, "runtime data: ");
  TRY(keys, reader.array("keys", 16));
  for (const Json& element : *keys) {
    const JsonReader key(element, kCode, "runtime data: keys: ");
    TRY(name, key.text("kid"));
    if (name != kKeyName) continue;
    if (!out.attestation_key.empty()) return bad("runtime data: two keys of one name");
    TRY(type, key.text("kty"));
    TRY(exponent, key.text("e"));
    if (type != "RSA" || exponent != "AQAB") return bad("runtime data: expected an RSA key with the exponent 65537");
    TRY(modulus, base64url(key, "n"));
    out.attestation_key = std::move(modulus);
  }
  if (out.attestation_key.empty()) return bad("runtime data: no key " + std::string(kKeyName));
  TRY(user_data, reader.optional_text("user-data"));
  out.user_data = user_data.value_or("");
  return {};
}

Result<void> read_tpm_quote(const Json& object, AzureEvidence& out) {
  const JsonReader reader(object, kCode, "tpm_quote.");
  TRY(message, reader.hex("message"));
  out.message = std::move(message);
  TRY(signature, reader.hex("signature"));
  out.signature = std::move(signature);
  TRY(pcrs, reader.array("pcrs", kPcrs));
  for (const Json& pcr : *pcrs) {
    if (!pcr.is_string()) return reader.bad("pcrs", "expected texts");
    Result<ByteArray<32>> value = from_hex_exactly<32>(pcr.get_ref<const std::string&>());
    if (!value) return reader.bad("pcrs", value.error().message);
    out.pcrs.push_back(*value);
  }
  return {};
}

}  // namespace

Result<TpmQuote> parse_tpm_quote(ByteView message) {
  constexpr std::uint64_t kGenerated = 0xff544347, kQuote = 0x8018, kSha256 = 0x000b;
  constexpr std::size_t kClockInfo = 17, kFirmwareVersion = 8;
  TpmReader in(message);
  TRY(magic, in.number(4));
  if (magic != kGenerated) return bad("tpm_quote.message: no TPM made it");
  TRY(type, in.number(2));
  if (type != kQuote) return bad("tpm_quote.message: it is no quote");
  TRY_VOID(in.sized());  // the name of the signing key's parents
  TpmQuote out;
  TRY(extra, in.sized());
  out.extra_data = to_bytes(extra);
  TRY_VOID(in.take(kClockInfo + kFirmwareVersion));
  TRY(banks, in.number(4));
  TRY(bank, in.number(2));
  TRY(mask_size, in.number(1));
  if (banks != 1 || bank != kSha256 || mask_size != 3) return bad("tpm_quote.message: expected the SHA-256 bank alone");
  TRY(mask, in.take(3));
  out.pcr_mask = mask[0] | std::uint32_t{mask[1]} << 8 | std::uint32_t{mask[2]} << 16;
  TRY(digest, in.sized());
  if (digest.size() != out.pcr_digest.size()) return bad("tpm_quote.message: expected a digest of 32 bytes");
  std::ranges::copy(digest, out.pcr_digest.begin());
  if (!in.ended()) return bad("tpm_quote.message: bytes behind its end");
  return out;
}

Result<AzureEvidence> parse_azure_evidence(const Json& object) {
  const JsonReader reader(object, kCode);
  TRY_VOID(reader.is_object());
  TRY(version, reader.whole_number("version"));
  if (version != 1 && version != 2) {
    return fail(ErrorCode::kUnsupported,
                "evidence of a virtual TPM on Azure: version " + std::to_string(version) + " is not read here");
  }
  AzureEvidence out;
  out.version = static_cast<int>(version);
  TRY(tpm_quote, reader.object("tpm_quote"));
  TRY_VOID(read_tpm_quote(*tpm_quote, out));
  TRY(hcl_bytes, base64url(reader, "hcl_report"));
  TRY(hcl, parse_hcl_report(hcl_bytes));
  out.snp = hcl.snp;
  out.runtime_data = std::move(hcl.runtime_data);
  if (out.snp) {
    out.evidence = std::move(hcl.tee_report);
  } else {
    TRY(quote, base64url(reader, "td_quote"));
    out.evidence = std::move(quote);
  }
  TRY_VOID(read_runtime_data(out));
  return out;
}

}  // namespace cloister::evidence
