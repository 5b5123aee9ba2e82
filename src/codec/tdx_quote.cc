#include "codec/tdx_quote.h"

#include <string>

#include "codec/byte_reader.h"

namespace cloister::codec {
namespace {

constexpr std::size_t kMostQuoteBytes = 256 * 1024;
constexpr std::uint16_t kKeyTypeEcdsaP256 = 2;
constexpr std::uint32_t kTeeTypeSgx = 0x00000000;
constexpr std::uint32_t kTeeTypeTdx = 0x00000081;
constexpr std::uint16_t kBodySgx = 1;
constexpr std::uint16_t kBodyTd10 = 2;
constexpr std::uint16_t kBodyTd15 = 3;
constexpr std::uint16_t kBodyTd15Ex = 4;
constexpr std::uint16_t kCertificationPem = 5;
constexpr std::uint16_t kCertificationQeReport = 6;

std::string decimal(std::uint64_t value) { return std::to_string(value); }

// The quote header, 48 bytes.
Result<void> parse_header(ByteReader& in, TdxQuote& quote) {
  TRY(version, in.integer<std::uint16_t>("version"));
  if (version == 3) return in.error("expected version 4 or 5, got 3, which only SGX quotes have");
  if (version != 4 && version != 5) return in.error("expected version 4 or 5, got " + decimal(version));
  quote.version = version;
  TRY(key_type, in.integer<std::uint16_t>("attestation key type"));
  if (key_type != kKeyTypeEcdsaP256) {
    return in.error("expected attestation key type 2 (ECDSA P-256), got " + decimal(key_type));
  }
  TRY(tee_type, in.integer<std::uint32_t>("TEE type"));
  if (tee_type == kTeeTypeSgx) return in.error("expected a TDX quote (TEE type 0x81), got an SGX one");
  if (tee_type != kTeeTypeTdx) return in.error("expected TEE type 129 (TDX), got " + decimal(tee_type));
  TRY_VOID(in.take(4, "reserved header bytes"));
  TRY(vendor, in.array<16>("QE vendor id"));
  if (vendor != kIntelQeVendorId) return in.error("the QE vendor id is not Intel's");
  TRY(user_data, in.array<20>("user data"));
  quote.user_data = user_data;
  return {};
}

// The size by body type; 0 for an unknown type.
std::size_t body_size_of(std::uint16_t type) {
  switch (type) {
    case kBodyTd10: return kTdReport10Size;
    case kBodyTd15: return kTdReport15Size;
    case kBodyTd15Ex: return kTdReport15ExSize;
    default: return 0;
  }
}

// The body descriptor of version 5. Returns the size of the body that follows.
Result<std::size_t> parse_body_descriptor(ByteReader& in, std::uint16_t version) {
  if (version == 4) return kTdReport10Size;
  TRY(type, in.integer<std::uint16_t>("body type"));
  TRY(size, in.integer<std::uint32_t>("body size"));
  if (type == kBodySgx) return in.error("expected a TD report body, got an SGX enclave report");
  const std::size_t expected = body_size_of(type);
  if (expected == 0) return in.error("expected body type 2, 3 or 4, got " + decimal(type));
  if (size != expected) {
    return in.error("body type " + decimal(type) + " has " + decimal(expected) + " bytes, got " + decimal(size));
  }
  return expected;
}

template <std::size_t N>
Result<void> read_field(ByteReader& in, ByteArray<N>& field, std::string_view name) {
  TRY(taken, in.take(N, name));
  std::copy(taken.begin(), taken.end(), field.begin());
  return {};
}

// sgx_report2_body_v1_5_ex_t, from offset 648 on.
Result<TdReportExtension> parse_extension(ByteReader& in) {
  TdReportExtension out;
  TRY(vm_id, in.integer<std::uint8_t>("VMID"));
  out.vm_id = vm_id;
  TRY_VOID(read_field(in, out.td_id, "TD_ID"));
  TRY_VOID(read_field(in, out.device_info, "DEVINFO"));
  TRY_VOID(read_field(in, out.initial_service_td_hash, "INIT_SERVTD_HASH"));
  TRY_VOID(read_field(in, out.initial_service_td_attributes, "INIT_SERVTD_ATTR"));
  TRY_VOID(read_field(in, out.initial_cpu_svn, "INIT_CPUSVN"));
  TRY_VOID(read_field(in, out.initial_tee_tcb_svn, "INIT_TEE_TCB_SVN"));
  TRY_VOID(read_field(in, out.initial_fmspc, "INIT_TEE_FMSPC"));
  TRY_VOID(read_field(in, out.service_td_hash, "CURR_SERVTD_HASH"));
  TRY_VOID(read_field(in, out.service_td_attributes, "CURR_SERVTD_ATTR"));
  return out;
}

// The TD report body (1.0, and what 1.5 appends).
Result<TdReport> parse_td_report(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadQuote, "TD report");
  TdReport report;
  const auto read = [&in](auto& field, std::string_view name) { return read_field(in, field, name); };
  TRY_VOID(read(report.tee_tcb_svn, "TEE_TCB_SVN"));
  TRY_VOID(read(report.mr_seam, "MRSEAM"));
  TRY_VOID(read(report.mr_signer_seam, "MRSIGNERSEAM"));
  TRY_VOID(read(report.seam_attributes, "SEAMATTRIBUTES"));
  TRY_VOID(read(report.td_attributes, "TDATTRIBUTES"));
  TRY_VOID(read(report.xfam, "XFAM"));
  TRY_VOID(read(report.mr_td, "MRTD"));
  TRY_VOID(read(report.mr_config_id, "MRCONFIGID"));
  TRY_VOID(read(report.mr_owner, "MROWNER"));
  TRY_VOID(read(report.mr_owner_config, "MROWNERCONFIG"));
  for (ByteArray<48>& rtmr : report.rtmr) TRY_VOID(read(rtmr, "RTMR"));
  TRY_VOID(read(report.report_data, "REPORTDATA"));
  if (bytes.size() >= kTdReport15Size) {
    TRY_VOID(read(report.tee_tcb_svn2.emplace(), "TEE_TCB_SVN2"));
    TRY_VOID(read(report.mr_service_td.emplace(), "MRSERVICETD"));
  }
  if (bytes.size() == kTdReport15ExSize) {
    TRY(extension, parse_extension(in));
    report.extension = extension;
  }
  return report;
}

// The inner half of the certification data: the content of the type 6 wrapper.
Result<void> parse_qe_certification(ByteView bytes, TdxQuote& quote) {
  ByteReader in(bytes, ErrorCode::kBadQuote, "QE certification data");
  TRY(qe_report, in.take(kQeReportSize, "QE report"));
  quote.qe_report_bytes = to_bytes(qe_report);
  TRY(parsed, parse_qe_report(qe_report));
  quote.qe_report = parsed;
  TRY(signature, in.array<64>("QE report signature"));
  quote.qe_report_signature = signature;
  TRY(authentication_size, in.integer<std::uint16_t>("authentication data size"));
  TRY(authentication, in.take(authentication_size, "authentication data"));
  quote.qe_authentication_data = to_bytes(authentication);
  TRY(type, in.integer<std::uint16_t>("certification type"));
  if (type != kCertificationPem && (type < 1 || type > 3)) {
    return in.error("expected certification type 5 (PEM chain) or 1 to 3 (PPID), got " + decimal(type));
  }
  quote.certification_type = type;
  TRY(size, in.integer<std::uint32_t>("certification size"));
  TRY(data, in.take(size, "certification data"));
  quote.certification_data = to_bytes(data);
  if (in.left() != 0) return in.error(decimal(in.left()) + " bytes more than its sizes account for");
  return {};
}

// The signature data around it.
Result<void> parse_signature_data(ByteView bytes, TdxQuote& quote) {
  ByteReader in(bytes, ErrorCode::kBadQuote, "TDX quote signature data");
  TRY(signature, in.array<64>("signature"));
  quote.signature = signature;
  TRY(key, in.array<64>("attestation key"));
  quote.attestation_key = key;
  TRY(type, in.integer<std::uint16_t>("certification type"));
  if (type != kCertificationQeReport) {
    return in.error("expected certification type 6 (QE report), got " + decimal(type));
  }
  TRY(size, in.integer<std::uint32_t>("certification size"));
  TRY(data, in.take(size, "certification data"));
  if (in.left() != 0) return in.error(decimal(in.left()) + " bytes more than its sizes account for");
  return parse_qe_certification(data, quote);
}

}  // namespace

Result<TdxQuote> parse_tdx_quote(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadQuote, "TDX quote");
  if (bytes.size() > kMostQuoteBytes) {
    return in.error("expected at most " + decimal(kMostQuoteBytes) + " bytes, got " + decimal(bytes.size()));
  }
  TdxQuote quote;
  TRY_VOID(parse_header(in, quote));
  TRY(body_size, parse_body_descriptor(in, quote.version));
  TRY(body, in.take(body_size, "TD report"));
  TRY(report, parse_td_report(body));
  quote.report = report;
  quote.signed_region = to_bytes(bytes.first(in.offset()));
  TRY(signature_size, in.integer<std::uint32_t>("signature data size"));
  TRY(signature_data, in.take(signature_size, "signature data"));
  TRY_VOID(parse_signature_data(signature_data, quote));
  TRY_VOID(in.expect_zero_padding());
  return quote;
}

// The SGX report body of the quoting enclave.
Result<QeReport> parse_qe_report(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadQuote, "QE report");
  if (bytes.size() != kQeReportSize) return in.error("expected 384 bytes, got " + decimal(bytes.size()));
  QeReport report;
  TRY(cpu_svn, in.array<16>("CPUSVN"));
  report.cpu_svn = cpu_svn;
  TRY(misc_select, in.integer<std::uint32_t>("MISCSELECT"));
  report.misc_select = misc_select;
  TRY_VOID(in.take(28, "reserved and ISVEXTPRODID"));
  TRY(attributes, in.array<16>("ATTRIBUTES"));
  report.attributes = attributes;
  TRY(mr_enclave, in.array<32>("MRENCLAVE"));
  report.mr_enclave = mr_enclave;
  TRY_VOID(in.take(32, "reserved"));
  TRY(mr_signer, in.array<32>("MRSIGNER"));
  report.mr_signer = mr_signer;
  TRY_VOID(in.take(96, "reserved and CONFIGID"));
  TRY(isv_prod_id, in.integer<std::uint16_t>("ISVPRODID"));
  report.isv_prod_id = isv_prod_id;
  TRY(isv_svn, in.integer<std::uint16_t>("ISVSVN"));
  report.isv_svn = isv_svn;
  TRY_VOID(in.take(60, "CONFIGSVN, reserved and ISVFAMILYID"));
  TRY(report_data, in.array<64>("REPORTDATA"));
  report.report_data = report_data;
  return report;
}

Bytes write_tdx_v4_signed_region(const TdReport& report, const ByteArray<20>& user_data) {
  Bytes out;
  out.reserve(kQuoteHeaderSize + kTdReport10Size);
  append_integer(out, 4, 2);
  append_integer(out, kKeyTypeEcdsaP256, 2);
  append_integer(out, kTeeTypeTdx, 4);
  append_integer(out, 0, 4);
  append(out, kIntelQeVendorId);
  append(out, user_data);
  append(out, report.tee_tcb_svn);
  append(out, report.mr_seam);
  append(out, report.mr_signer_seam);
  append(out, report.seam_attributes);
  append(out, report.td_attributes);
  append(out, report.xfam);
  append(out, report.mr_td);
  append(out, report.mr_config_id);
  append(out, report.mr_owner);
  append(out, report.mr_owner_config);
  for (const ByteArray<48>& rtmr : report.rtmr) append(out, rtmr);
  append(out, report.report_data);
  return out;
}

Bytes write_qe_report(const QeReport& report) {
  Bytes out;
  out.reserve(kQeReportSize);
  append(out, report.cpu_svn);
  append_integer(out, report.misc_select, 4);
  out.resize(48);
  append(out, report.attributes);
  append(out, report.mr_enclave);
  out.resize(128);
  append(out, report.mr_signer);
  out.resize(256);
  append_integer(out, report.isv_prod_id, 2);
  append_integer(out, report.isv_svn, 2);
  out.resize(320);
  append(out, report.report_data);
  return out;
}

Bytes write_tdx_v4_quote(ByteView signed_region, const ByteArray<64>& signature, const ByteArray<64>& attestation_key,
                         ByteView qe_report, const ByteArray<64>& qe_report_signature, ByteView qe_authentication_data,
                         ByteView pem_chain) {
  Bytes certification;
  append(certification, qe_report);
  append(certification, qe_report_signature);
  append_integer(certification, qe_authentication_data.size(), 2);
  append(certification, qe_authentication_data);
  append_integer(certification, kCertificationPem, 2);
  append_integer(certification, pem_chain.size(), 4);
  append(certification, pem_chain);

  Bytes signature_data;
  append(signature_data, signature);
  append(signature_data, attestation_key);
  append_integer(signature_data, kCertificationQeReport, 2);
  append_integer(signature_data, certification.size(), 4);
  append(signature_data, certification);

  Bytes out = to_bytes(signed_region);
  append_integer(out, signature_data.size(), 4);
  append(out, signature_data);
  return out;
}

}  // namespace cloister::codec
