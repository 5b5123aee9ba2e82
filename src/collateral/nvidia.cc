#include "collateral/nvidia.h"

#include "base/encoding.h"
#include "base/terminal_text.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "verify/bundle.h"

namespace cloister::collateral {
namespace {

// Manifests are signed again from time to time, and their content never changes: a week.
constexpr std::int64_t kRimMaxAgeSeconds = 7 * 24 * 3600;
constexpr std::int64_t kRimKeepSeconds = 60 * 24 * 3600;
constexpr std::size_t kAnswerLimit = 2u << 20;
constexpr std::size_t kOcspLimit = 64u << 10;
constexpr std::uint8_t kDerSequence = 0x30;

Error unusable(const std::string& why) { return fail(ErrorCode::kNoCollateral, why); }

// The service's `sha256` covers the document; older answers had the digest of its base64 text. Accepts a digest in either case.
bool is_digest_of(std::string_view text, std::string_view bytes) {
  const crypto::Sha256Digest digest = crypto::sha256(as_bytes(bytes));
  const auto hex = from_hex(text);
  return (hex && equal(*hex, digest)) || text == to_base64(digest);
}

std::string one_line(std::string_view text) { return ascii_line(text.substr(0, 128)); }

}  // namespace

Result<std::string> read_rim_answer(std::string_view json_text, std::string_view id) {
  TRY(answer, codec::parse_json(json_text, {kAnswerLimit, 4, 100}));
  TRY(named, codec::string_member(answer, "id"));
  if (named != id) return unusable("asked for the manifest " + std::string(id) + ", got " + one_line(named));
  TRY(text, codec::string_member(answer, "rim"));
  TRY(bytes, from_base64(text));
  std::string document(as_text(bytes));
  if (answer.contains("sha256")) {
    TRY(digest, codec::string_member(answer, "sha256"));
    if (!is_digest_of(digest, document) && !is_digest_of(digest, text)) {
      return unusable("expected a manifest with SHA-256 " + one_line(digest) + ", got " +
                      to_hex(crypto::sha256(bytes)));
    }
  }
  if (document.empty()) return unusable("the manifest is empty");
  return document;
}

std::string nras_request(const NrasQuery& query) {
  Json list = Json::array();
  for (const evidence::GpuEvidence& device : query.devices) {
    list.push_back(
        {{"evidence", to_base64(device.report)}, {"certificate", to_base64(as_bytes(device.certificate_chain_pem))}});
  }
  return codec::write_json(Json{{"nonce", query.nonce_hex},
                                {"arch", query.arch},
                                {"evidence_list", std::move(list)},
                                {"claims_version", query.versioned ? "4.0" : "3.0"}});
}

Result<std::string> NvidiaService::get_rim(const std::string& id) const {
  // The id comes from evidence and becomes part of an address.
  if (!verify::is_rim_id(id)) return unusable("a manifest id has characters that no id has");
  Download download;
  download.request.url = endpoints_.nvidia_rim + "/v1/rim/" + id;
  download.request.accept = "application/json";
  download.request.bearer_token = service_key_;
  download.request.limit_bytes = kAnswerLimit;
  download.what = "reference manifest " + id;
  download.on_404 = "NVIDIA publishes no such manifest; those of new versions can take weeks";
  download.max_age_s = kRimMaxAgeSeconds;
  std::string out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(document, read_rim_answer(response.body, id));
    out = std::move(document);
    return clock_.now() + kRimKeepSeconds;
  }));
  return out;
}

Result<Bytes> NvidiaService::get_ocsp(const OcspQuery& query) const {
  Download download;
  download.request.url = endpoints_.nvidia_ocsp + "/";
  download.request.post = true;
  download.request.body = as_text(query.request);
  download.request.content_type = "application/ocsp-request";
  download.request.accept = "application/ocsp-response";
  download.request.limit_bytes = kOcspLimit;
  download.what = "revocation status of " + one_line(query.about);
  Bytes out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    const ByteView der = as_bytes(response.body);
    if (der.empty() || der[0] != kDerSequence) return unusable("expected an OCSP response, got something else");
    out = to_bytes(der);
    return clock_.now();
  }));
  return out;
}

Result<std::string> NvidiaService::get_nras_token(const NrasQuery& query) const {
  Download download;
  download.request.url = endpoints_.nvidia_nras + (query.versioned ? "/v4/attest/" : "/v3/attest/") +
                         (query.arch == kSwitchArch ? "switch" : "gpu");
  download.request.post = true;
  download.request.body = nras_request(query);
  download.request.content_type = "application/json";
  download.request.accept = "application/json";
  download.request.bearer_token = service_key_;
  download.request.limit_bytes = kAnswerLimit;
  download.what = "token of NVIDIA's remote attestation service";
  std::string out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(answer, codec::parse_json(response.body, {kAnswerLimit, 8, 10'000}));
    if (!answer.is_array() || answer.empty()) return unusable("expected a detached EAT, got something else");
    out = response.body;
    return clock_.now();
  }));
  return out;
}

Result<std::string> NvidiaService::get_nras_jwks() const {
  Download download;
  download.request.url = endpoints_.nvidia_nras + "/.well-known/jwks.json";
  download.request.accept = "application/json";
  download.request.limit_bytes = kAnswerLimit;
  download.what = "keys of NVIDIA's remote attestation service";
  std::string out;
  TRY_VOID(downloader_.get(download, [&](const FetchResponse& response) -> Result<UnixSeconds> {
    TRY(answer, codec::parse_json(response.body, {kAnswerLimit, 8, 10'000}));
    TRY(keys, codec::array_member(answer, "keys"));
    if (keys->empty()) return unusable("the key set is empty");
    out = response.body;
    return clock_.now();
  }));
  return out;
}

}  // namespace cloister::collateral
