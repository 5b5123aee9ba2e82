#include "collateral/intel.h"

#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/signed_json.h"
#include "crypto/crl.h"
#include "crypto/x509.h"
#include "http/percent.h"

namespace cloister::collateral {
namespace {

// All of it is valid for about a month, but important patches are published without notice: so it is asked for daily.
constexpr std::int64_t kMaxAgeSeconds = 24 * 3600;
constexpr std::size_t kChainLimit = 32u << 10;
constexpr std::size_t kChainLength = 2;
constexpr std::string_view kSgxPath = "/sgx/certification/v4";
constexpr std::string_view kTdxPath = "/tdx/certification/v4";
constexpr const char* kTcbChainHeader = "tcb-info-issuer-chain";
constexpr const char* kIdentityChainHeader = "sgx-enclave-identity-issuer-chain";
constexpr const char* kCrlChainHeader = "sgx-pck-crl-issuer-chain";

Error unusable(const std::string& why) { return fail(ErrorCode::kNoCollateral, why); }

Result<std::string> issuer_chain(const FetchResponse& response, const char* header) {
  const auto value = http::find_header(response.headers, header);
  if (!value) return unusable(std::string("the answer lacks the header ") + header);
  auto chain = decode_issuer_chain(*value);
  if (!chain) return unusable(std::string(header) + ": " + chain.error().message);
  return chain;
}

struct SignedAnswer {
  std::string text;
  std::string signature;
  Json object;
  UnixSeconds next_update = 0;
};

// {"<member>":{...,"nextUpdate"},"signature"}
Result<SignedAnswer> read_signed(const FetchResponse& response, std::string_view member) {
  TRY(parts, codec::split_signed_json(response.body, member));
  TRY(object, codec::parse_json(parts.text));
  TRY(next_update_text, codec::string_member(object, "nextUpdate"));
  TRY(next_update, from_rfc3339(next_update_text));
  return SignedAnswer{std::move(parts.text), std::move(parts.signature_hex), std::move(object), next_update};
}

// The DER of a list, and until when the list is valid.
Result<std::pair<Bytes, UnixSeconds>> read_crl(const FetchResponse& response) {
  TRY(der, crypto::decode_crl(as_bytes(response.body)));
  TRY(crl, crypto::Crl::from_der(der));
  return std::pair(std::move(der), crl.next_update());
}

std::string_view name_of(PckCa ca) { return ca == PckCa::kPlatform ? "platform" : "processor"; }

Download crl_download(std::string url, std::string what) {
  Download out;
  out.request.url = std::move(url);
  out.request.limit_bytes = 4u << 20;
  out.what = std::move(what);
  out.max_age_s = kMaxAgeSeconds;
  return out;
}

}  // namespace

Result<std::string> decode_issuer_chain(std::string_view header) {
  if (header.size() > kChainLimit) return unusable("more than 32 KiB");
  // Decoded strictly: a '+' of the base64 inside stays a '+', as with browsers' encodeURIComponent.
  const auto text = http::percent_decode(header);
  if (!text) return unusable("expected percent-encoded text");
  TRY(chain, crypto::parse_pem_chain(as_bytes(*text)));
  if (chain.size() != kChainLength) {
    return unusable("expected 2 certificates, found " + std::to_string(chain.size()));
  }
  return *text;
}

Download IntelService::signed_json(const std::string& path, const std::string& query) const {
  Download out;
  out.request.url = endpoints_.intel + std::string(kTdxPath) + path + "?" + query +
                    (update_ == TcbUpdate::kEarly ? "update=early" : "update=standard");
  out.request.accept = "application/json";
  out.request.limit_bytes = 2u << 20;
  out.on_410 = "this evaluation set is no longer served";
  out.max_age_s = kMaxAgeSeconds;
  return out;
}

Result<void> IntelService::get_tcb_info(const ByteArray<6>& fmspc, verify::TdxCollateral& out) const {
  const std::string hex = to_hex(fmspc);
  Download download = signed_json("/tcb", "fmspc=" + hex + "&");
  download.what = "TDX TCB information of FMSPC " + hex;
  download.on_404 = "the service knows no platform of FMSPC " + hex;
  download.keep_headers = {kTcbChainHeader};
  return downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(answer, read_signed(response, "tcbInfo"));
    TRY(named, codec::string_member(answer.object, "fmspc"));
    TRY(named_bytes, from_hex_exactly<6>(named));
    if (named_bytes != fmspc) return unusable("asked for FMSPC " + hex + ", got that of " + to_hex(named_bytes));
    TRY(chain, issuer_chain(response, kTcbChainHeader));
    out.tcb_info = std::move(answer.text);
    out.tcb_info_signature = std::move(answer.signature);
    out.tcb_info_issuer_chain = std::move(chain);
    return answer.next_update;
  });
}

Result<void> IntelService::get_qe_identity(verify::TdxCollateral& out) const {
  Download download = signed_json("/qe/identity", "");
  download.what = "identity of the TD quoting enclave";
  download.keep_headers = {kIdentityChainHeader};
  return downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(answer, read_signed(response, "enclaveIdentity"));
    TRY(id, codec::string_member(answer.object, "id"));
    if (id != "TD_QE") return unusable("asked for the identity TD_QE, got another");
    TRY(chain, issuer_chain(response, kIdentityChainHeader));
    out.qe_identity = std::move(answer.text);
    out.qe_identity_signature = std::move(answer.signature);
    out.qe_identity_issuer_chain = std::move(chain);
    return answer.next_update;
  });
}

Result<void> IntelService::get_pck_crl(PckCa ca, verify::TdxCollateral& out) const {
  const std::string name(name_of(ca));
  Download download = crl_download(endpoints_.intel + std::string(kSgxPath) + "/pckcrl?ca=" + name + "&encoding=der",
                                   "revocation list of the PCK " + name + " CA");
  download.keep_headers = {kCrlChainHeader};
  return downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(crl, read_crl(response));
    TRY(chain, issuer_chain(response, kCrlChainHeader));
    out.pck_crl = std::move(crl.first);
    out.pck_crl_issuer_chain = std::move(chain);
    return crl.second;
  });
}

Result<void> IntelService::get_root_crl(verify::TdxCollateral& out) const {
  const std::string url = endpoints_.intel_root_crl.empty() ? endpoints_.intel + std::string(kSgxPath) + "/rootcacrl"
                                                            : endpoints_.intel_root_crl;
  return downloader_.get(crl_download(url, "revocation list of the Intel SGX Root CA"),
                         [&](const FetchResponse& response) -> Result<UnixSeconds> {
                           TRY(crl, read_crl(response));
                           out.root_ca_crl = std::move(crl.first);
                           return crl.second;
                         });
}

}  // namespace cloister::collateral
