#include "verify/nvidia/tcb_info.h"

#include "verify/der.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kTcbInfoOid = "2.23.133.5.4.1.1";
constexpr std::string_view kMultiTcbInfoOid = "2.23.133.5.4.5";
// Context tags; [6] and [11] are constructed.
enum Field : std::uint8_t {
  kVendor = 0x80,
  kModel = 0x81,
  kVersion = 0x82,
  kSvn = 0x83,
  kLayer = 0x84,
  kIndex = 0x85,
  kFwids = 0xa6,
  kFlags = 0x87,
  kVendorInfo = 0x88,
  kType = 0x89,
  kFlagsMask = 0x8a
};
constexpr std::size_t kFlagBits = 9;
constexpr std::size_t kRecovery = 2, kDebug = 3;  // the only flags that are not named after what is missing

Error malformed(const std::string& what) { return fail(ErrorCode::kBadCertificate, "TcbInfo: " + what); }

// Reads an INTEGER that is not negative and fits.
Result<std::uint64_t> read_number(ByteView content) {
  if (content.empty() || (content[0] & 0x80) != 0 || content.size() > 9 || (content.size() == 9 && content[0] != 0)) {
    return malformed("expected a number from 0 on");
  }
  if (content.size() > 1 && content[0] == 0 && (content[1] & 0x80) == 0) return malformed("a number is padded");
  std::uint64_t out = 0;
  for (const std::uint8_t byte : content) out = out << 8 | byte;
  return out;
}

// Reads a BIT STRING, the first bit first.
Result<std::vector<bool>> read_bits(ByteView content) {
  if (content.empty() || content[0] > 7 || (content.size() == 1 && content[0] != 0) || content.size() > 5) {
    return malformed("expected a string of at most 32 bits");
  }
  std::vector<bool> out;
  const std::size_t bits = (content.size() - 1) * 8 - content[0];
  for (std::size_t i = 0; i < bits; ++i) out.push_back((content[1 + i / 8] >> (7 - i % 8) & 1) != 0);
  return out;
}

Result<std::vector<Fwid>> read_fwids(ByteView content) {
  std::vector<Fwid> out;
  for (DerReader entries(content); !entries.at_end();) {
    TRY(entry, entries.next(kDerSequence));
    DerReader parts(entry);
    TRY(algorithm, parts.next(kDerOid));
    TRY(digest, parts.next(kDerOctetString));
    if (!parts.at_end()) return malformed("a digest has more than an algorithm and a value");
    out.push_back({to_bytes(algorithm), to_bytes(digest)});
  }
  if (out.empty()) return malformed("a list of digests is empty");
  return out;
}

Result<void> read_field(const DerValue& field, TcbInfo& out, std::vector<bool>& flags,
                        std::optional<std::vector<bool>>& mask) {
  const auto number = [&](std::optional<std::uint64_t>& into) -> Result<void> {
    TRY(value, read_number(field.content));
    into = value;
    return {};
  };
  switch (field.tag) {
    case kVendor: out.vendor = std::string(as_text(field.content)); return {};
    case kModel: out.model = std::string(as_text(field.content)); return {};
    case kVersion: out.version = std::string(as_text(field.content)); return {};
    case kSvn: return number(out.svn);
    case kLayer: return number(out.layer);
    case kIndex: return number(out.index);
    case kFwids: {
      TRY(fwids, read_fwids(field.content));
      out.fwids = std::move(fwids);
      return {};
    }
    case kFlags: {
      TRY(bits, read_bits(field.content));
      flags = std::move(bits);
      return {};
    }
    case kVendorInfo: out.vendor_info = to_bytes(field.content); return {};
    case kType: out.type = to_bytes(field.content); return {};
    case kFlagsMask: {
      TRY(bits, read_bits(field.content));
      mask = std::move(bits);
      return {};
    }
    default:
      return fail(ErrorCode::kUnsupported, "TcbInfo: field " + std::to_string(field.tag & 0x1f) + " is not supported");
  }
}

}  // namespace

Result<TcbInfo> parse_tcb_info(ByteView extension) {
  DerReader outer(extension);
  TRY(fields, outer.next(kDerSequence));
  if (!outer.at_end()) return malformed("bytes behind the sequence");
  TcbInfo out;
  std::vector<bool> flags;
  std::optional<std::vector<bool>> mask;
  std::uint8_t before = 0;
  for (DerReader reader(fields); !reader.at_end();) {
    TRY(field, reader.next());
    // The fields must be in their own order, which also rules out duplicates.
    const auto number = static_cast<std::uint8_t>((field.tag & 0x1f) + 1);
    if (number <= before) return malformed("fields out of order");
    before = number;
    TRY_VOID(read_field(field, out, flags, mask));
  }
  for (std::size_t i = 0; i < kFlagBits && i < flags.size(); ++i) {
    if (mask && (i >= mask->size() || !(*mask)[i])) continue;
    out.flags[i] = (i == kRecovery || i == kDebug) == flags[i];
  }
  return out;
}

Result<std::optional<TcbInfo>> read_tcb_info(const crypto::Certificate& certificate) {
  if (certificate.extension(kMultiTcbInfoOid)) {
    return fail(ErrorCode::kUnsupported, "a certificate with several TcbInfo is not supported");
  }
  const std::optional<Bytes> extension = certificate.extension(kTcbInfoOid);
  if (!extension) return std::optional<TcbInfo>();
  TRY(info, parse_tcb_info(*extension));
  return std::optional<TcbInfo>(std::move(info));
}

}  // namespace cloister::verify
