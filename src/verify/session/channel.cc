#include "verify/session/channel.h"

#include <set>
#include <string>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "evidence/aci/report.h"
#include "evidence/native_report.h"
#include "verify/check.h"
#include "verify/report/judges.h"

namespace cloister::verify {
namespace {

using evidence::ChannelBinding;
using Kind = ChannelBinding::Kind;
using Hashes = std::set<ByteArray<32>>;

constexpr const char* kId = "session.channel";

Hashes hashes_of(const evidence::Session& session, Kind kind) {
  Hashes out;
  for (const ChannelBinding& binding : session.channel_binding) {
    if (binding.kind == kind) out.insert(binding.sha256);
  }
  return out;
}

// "api.example.com" from "https://api.example.com:8443/".
std::optional<std::string> host_of(const evidence::Session& session) {
  constexpr std::string_view kScheme = "https://";
  for (const ChannelBinding& binding : session.channel_binding) {
    if (binding.kind != Kind::kTlsSpki || !binding.where.starts_with(kScheme)) continue;
    const std::string_view rest = std::string_view(binding.where).substr(kScheme.size());
    return std::string(rest.substr(0, rest.find_first_of(":/")));
  }
  return std::nullopt;
}

std::optional<evidence::Keyset> keyset_of(const Json& report) {
  const Result<ReportShape> shape = find_shape(report);
  if (shape && *shape == ReportShape::kAci) {
    if (auto aci = evidence::parse_aci_report(report)) return std::move(aci->keyset);
  }
  if (shape && *shape == ReportShape::kNative) {
    if (auto native = evidence::parse_native_report(report)) return std::move(native->keyset);
  }
  return std::nullopt;
}

// The key of the keyset with this hash, as hex.
std::optional<std::string> key_with(const evidence::Keyset& keyset, const ByteArray<32>& hash) {
  for (const evidence::KeysetKey& key : keyset.e2ee_public_keys) {
    const Result<Bytes> bytes = from_hex(key.public_key);
    if (!key.is_tls_mark() && bytes && crypto::sha256(*bytes) == hash) return key.public_key;
  }
  return std::nullopt;
}

// The state of the check that compared one of the two keys with the report.
Check check_key(const char* what, const Hashes& pinned, bool asked, const Verdict& upstream, const char* check_id) {
  if (pinned.size() > 1) {
    return skipped(
        kId, std::string("the gateway pinned several ") + what + "s: which of them it used, the session does not say");
  }
  const std::string hash = to_hex(*pinned.begin());
  if (!asked) {
    return failed(kId, std::string("the gateway used a ") + what + " that the upstream's report does not list",
                  "one of the report", hash);
  }
  const Check* check = upstream.find(check_id);
  if (check != nullptr && check->state == State::kPass) return passed(kId, hash);
  if (check != nullptr && check->state == State::kFail) {
    return failed(kId, std::string("the gateway used a ") + what + " that the upstream's evidence does not bind", {},
                  hash);
  }
  return skipped(kId, std::string("whether the upstream's evidence binds the ") + what + " could not be judged");
}

}  // namespace

Expected expected_of_channel(const evidence::Session& session, const Json& report) {
  // session.channel says whether a key was pinned, and which.
  Expected out{.no_connection = true};
  const Hashes tls = hashes_of(session, Kind::kTlsSpki), e2ee = hashes_of(session, Kind::kE2eeKey);
  if (tls.size() == 1) {
    out.tls_spki_sha256 = *tls.begin();
    out.tls_host = host_of(session);
  }
  if (e2ee.size() != 1) return out;
  if (const auto keyset = keyset_of(report)) out.e2ee_public_key = key_with(*keyset, *e2ee.begin());
  return out;
}

Check check_session_channel(const evidence::Session& session, const Expected& asked, const Verdict* upstream) {
  const Hashes tls = hashes_of(session, Kind::kTlsSpki), e2ee = hashes_of(session, Kind::kE2eeKey);
  if (tls.empty() && e2ee.empty()) {
    return failed(kId, "the gateway pinned no key of the upstream's: anybody may have answered it", "a pinned key",
                  session.channel_binding.empty() ? "none" : session.channel_binding.front().type);
  }
  if (upstream == nullptr) return skipped(kId, "there is no evidence of the upstream that could be judged");
  if (!tls.empty()) {
    Check check = check_key("TLS key", tls, asked.tls_spki_sha256.has_value(), *upstream, "report_data.tls");
    if (check.state != State::kPass || e2ee.empty()) return check;
  }
  return check_key("encryption key", e2ee, asked.e2ee_public_key.has_value(), *upstream, "report_data.e2ee");
}

}  // namespace cloister::verify
