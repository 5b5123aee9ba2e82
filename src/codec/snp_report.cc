#include "codec/snp_report.h"

#include <algorithm>
#include <string>

#include "codec/byte_reader.h"

namespace cloister::codec {
namespace {

constexpr std::uint32_t kEcdsaP384Sha384 = 1;
constexpr std::size_t kNumberSize = 72;  // r and s are each little-endian, with spare bytes
constexpr std::size_t kCoordinateSize = 48;

// Reserved bytes must be zero: otherwise a field that a later version defines would not be verified.
Result<void> expect_zero(ByteReader& in, std::uint64_t count, std::string_view what) {
  TRY(bytes, in.take(count, what));
  if (std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; })) return {};
  return in.error(std::string(what) + " must be zero");
}

template <std::size_t N>
Result<void> read(ByteReader& in, ByteArray<N>& out, std::string_view field) {
  TRY(bytes, in.array<N>(field));
  out = bytes;
  return {};
}

Result<void> parse_key_flags(ByteReader& in, SnpReport& report) {
  TRY(flags, in.integer<std::uint32_t>("key flags"));
  if ((flags >> 5) != 0) return in.error("reserved key flags are set");
  report.author_key_enabled = (flags & 1) != 0;
  report.chip_key_masked = (flags & 2) != 0;
  const auto key = static_cast<std::uint8_t>(flags >> 2 & 7);
  if (key != 0 && key != 1 && key != 7) return in.error("reserved signing key " + std::to_string(key));
  report.signing_key = static_cast<SnpSigningKey>(key);
  return expect_zero(in, 4, "bytes 0x4c to 0x50");
}

// CPUID_FAM_ID and CPUID_MOD_ID as CPUID Fn0000_0001_EAX combines them.
std::optional<SnpProduct> product_of(std::uint8_t family, std::uint8_t model) {
  if (family == 0x19 && model <= 0x0f) return SnpProduct::kMilan;
  if (family == 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) {
    return SnpProduct::kGenoa;
  }
  if (family == 0x1a && model <= 0x1f) return SnpProduct::kTurin;
  return std::nullopt;
}

Result<void> parse_cpuid(ByteReader& in, SnpReport& report) {
  if (report.version < 3) return expect_zero(in, 24, "bytes 0x188 to 0x1a0");
  TRY(family, in.integer<std::uint8_t>("family"));
  TRY(model, in.integer<std::uint8_t>("model"));
  TRY(stepping, in.integer<std::uint8_t>("stepping"));
  report.has_cpuid = true;
  report.family = family;
  report.model = model;
  report.stepping = stepping;
  report.product = product_of(family, model);
  return expect_zero(in, 21, "bytes 0x18b to 0x1a0");
}

// 0x1e0 to 0x2a0.
Result<void> parse_tail(ByteReader& in, SnpReport& report) {
  TRY_VOID(read(in, report.chip_id, "chip id"));
  TRY_VOID(read(in, report.committed_tcb, "committed TCB"));
  TRY_VOID(in.take(3, "current build, minor, major"));
  TRY_VOID(expect_zero(in, 1, "byte 0x1eb"));
  TRY_VOID(in.take(3, "committed build, minor, major"));
  TRY_VOID(expect_zero(in, 1, "byte 0x1ef"));
  TRY_VOID(read(in, report.launch_tcb, "launch TCB"));
  // Version 5 adds the launch and current mitigation vectors.
  if (report.version >= 5) TRY_VOID(in.take(16, "mitigation vectors"));
  return expect_zero(in, kSnpSignedSize - in.offset(), "bytes up to 0x2a0");
}

Result<void> parse_number(ByteReader& in, std::uint8_t* big_endian, std::string_view name) {
  TRY(bytes, in.take(kCoordinateSize, name));
  std::reverse_copy(bytes.begin(), bytes.end(), big_endian);
  return expect_zero(in, kNumberSize - kCoordinateSize, std::string(name) + " beyond 48 bytes");
}

Result<void> parse_fields(ByteReader& in, SnpReport& report) {
  TRY(version, in.integer<std::uint32_t>("version"));
  if (version < 2 || version > 5) {
    return in.error("expected version 2 to 5, got " + std::to_string(version));
  }
  report.version = version;
  TRY_VOID(in.take(4, "guest SVN"));
  TRY(policy, in.integer<std::uint64_t>("policy"));
  report.policy = policy;
  TRY_VOID(in.take(32, "family id and image id"));
  TRY(vmpl, in.integer<std::uint32_t>("VMPL"));
  report.vmpl = vmpl;
  TRY(algorithm, in.integer<std::uint32_t>("signature algorithm"));
  if (algorithm != kEcdsaP384Sha384) {
    return in.error("expected signature algorithm 1 (ECDSA P-384), got " + std::to_string(algorithm));
  }
  TRY_VOID(read(in, report.current_tcb, "current TCB"));
  TRY(platform_info, in.integer<std::uint64_t>("platform info"));
  report.platform_info = platform_info;
  TRY_VOID(parse_key_flags(in, report));
  TRY_VOID(read(in, report.report_data, "report data"));
  TRY_VOID(read(in, report.measurement, "measurement"));
  TRY_VOID(read(in, report.host_data, "host data"));
  TRY_VOID(read(in, report.id_key_digest, "id key digest"));
  TRY_VOID(read(in, report.author_key_digest, "author key digest"));
  TRY_VOID(read(in, report.report_id, "report id"));
  TRY_VOID(in.take(32, "report id of the migration agent"));
  TRY_VOID(read(in, report.reported_tcb, "reported TCB"));
  TRY_VOID(parse_cpuid(in, report));
  return parse_tail(in, report);
}

}  // namespace

std::string_view to_text(SnpProduct product) {
  switch (product) {
    case SnpProduct::kMilan: return "Milan";
    case SnpProduct::kGenoa: return "Genoa";
    case SnpProduct::kTurin: return "Turin";
  }
  return "unknown";
}

SnpTcb decode_snp_tcb(const ByteArray<8>& bytes, SnpProduct product) {
  if (product != SnpProduct::kTurin) return {bytes[0], bytes[1], bytes[6], bytes[7], 0};
  return {bytes[1], bytes[2], bytes[3], bytes[7], bytes[0]};
}

Result<SnpReport> parse_snp_report(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadSnpReport, "SNP report");
  if (bytes.size() != kSnpReportSize) {
    return in.error("expected 1184 bytes, got " + std::to_string(bytes.size()));
  }
  SnpReport report;
  TRY_VOID(parse_fields(in, report));
  report.signed_region = to_bytes(bytes.first(kSnpSignedSize));
  TRY_VOID(parse_number(in, report.signature.data(), "r"));
  TRY_VOID(parse_number(in, report.signature.data() + kCoordinateSize, "s"));
  TRY_VOID(expect_zero(in, in.left(), "bytes after the signature"));
  return report;
}

}  // namespace cloister::codec
