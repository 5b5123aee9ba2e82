#include "tests/simulator/forgery.h"

#include <algorithm>
#include <cstdlib>

#include "base/encoding.h"
#include "crypto/ecdsa.h"
#include "crypto/x509.h"
#include "gpu/simulator/device.h"
#include "tee/simulator/platform.h"

namespace cloister::testing {
namespace {

using crypto::Curve;
using crypto::EcKey;

template <typename T>
T must(Result<T> result) {
  if (!result) std::abort();
  return std::move(*result);
}

ByteArray<64> fixed64(const Bytes& bytes) {
  ByteArray<64> out;
  std::copy_n(bytes.begin(), out.size(), out.begin());
  return out;
}

Bytes write(const codec::TdxQuote& quote) {
  return codec::write_tdx_v4_quote(quote.signed_region, quote.signature, quote.attestation_key, quote.qe_report_bytes,
                                   quote.qe_report_signature, quote.qe_authentication_data, quote.certification_data);
}

}  // namespace

void set_member(Json& report, const std::string& name, const Json& value) {
  report[name] = value;
  if (!report.contains("all_attestations")) return;
  for (Json& item : report["all_attestations"]) item[name] = value;
}

void remove_member(Json& report, const std::string& name) {
  report.erase(name);
  if (!report.contains("all_attestations")) return;
  for (Json& item : report["all_attestations"]) item.erase(name);
}

codec::TdxQuote quote_in(const Json& report) {
  return must(codec::parse_tdx_quote(must(from_hex(report["intel_quote"].get<std::string>()))));
}

void set_quote(Json& report, ByteView quote) {
  set_member(report, "intel_quote", to_hex(quote));
  set_member(report, "quote", to_hex(quote));
}

void edit_quote_bytes(Json& report, const std::function<void(Bytes&)>& edit) {
  Bytes quote = must(from_hex(report["intel_quote"].get<std::string>()));
  edit(quote);
  set_quote(report, quote);
}

void resign_td_report(Json& report, ByteView seed, const std::function<void(codec::TdReport&)>& edit) {
  codec::TdxQuote quote = quote_in(report);
  edit(quote.report);
  quote.signed_region = codec::write_tdx_v4_signed_region(quote.report, quote.user_data);
  const EcKey key = must(EcKey::derive(Curve::kP256, seed, tee::kAttestationKeyLabel));
  quote.signature = fixed64(key.sign(quote.signed_region));
  set_quote(report, write(quote));
}

void resign_qe_report(Json& report, ByteView seed, const std::function<void(codec::QeReport&)>& edit) {
  codec::TdxQuote quote = quote_in(report);
  edit(quote.qe_report);
  quote.qe_report_bytes = codec::write_qe_report(quote.qe_report);
  const EcKey key = must(EcKey::derive(Curve::kP256, seed, tee::kPckKeyLabel));
  quote.qe_report_signature = fixed64(key.sign(quote.qe_report_bytes));
  set_quote(report, write(quote));
}

void set_pck_chain(Json& report, std::string_view pem) {
  codec::TdxQuote quote = quote_in(report);
  quote.certification_data = to_bytes(as_bytes(pem));
  set_quote(report, write(quote));
}

evidence::NvidiaPayload payload_in(const Json& report) {
  return must(evidence::parse_nvidia_payload(report["nvidia_payload"].get<std::string>()));
}

void edit_payload(Json& report, const std::function<void(evidence::NvidiaPayload&)>& edit) {
  evidence::NvidiaPayload payload = payload_in(report);
  edit(payload);
  set_member(report, "nvidia_payload", evidence::write_nvidia_payload(payload));
}

void resign_gpu_report(Json& report, ByteView seed, std::size_t device,
                       const std::function<void(codec::SpdmReport&)>& edit) {
  edit_payload(report, [&](evidence::NvidiaPayload& payload) {
    codec::SpdmReport spdm = must(codec::parse_spdm_report(payload.evidence_list.at(device).report));
    edit(spdm);
    Bytes bytes = codec::write_spdm_signed_region(spdm);
    const std::string label = std::string(gpu::kAttestationKeyLabel) + std::to_string(device);
    append(bytes, must(EcKey::derive(Curve::kP384, seed, label)).sign(bytes));
    payload.evidence_list[device].report = std::move(bytes);
  });
}

std::string flip_certificate(std::string_view pem_chain, std::size_t index) {
  std::string out;
  const auto chain = must(crypto::parse_pem_chain(as_bytes(pem_chain)));
  for (std::size_t i = 0; i < chain.size(); ++i) {
    Bytes der = chain[i].der();
    if (i == index) der.back() ^= 1;
    out += must(crypto::Certificate::from_der(der)).to_pem();
  }
  return out;
}

std::string drop_certificate(std::string_view pem_chain, std::size_t index) {
  std::string out;
  const auto chain = must(crypto::parse_pem_chain(as_bytes(pem_chain)));
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (i != index) out += chain[i].to_pem();
  }
  return out;
}

}  // namespace cloister::testing
