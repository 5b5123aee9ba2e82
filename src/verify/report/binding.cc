#include "verify/report/binding.h"

#include <algorithm>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/report/tls_origin.h"

namespace cloister::verify {
namespace {

using evidence::ReportData;
using evidence::TlsKeyOrigin;
using Half = ByteArray<32>;

Half first_half(const ReportData& data) {
  Half out;
  std::copy_n(data.begin(), out.size(), out.begin());
  return out;
}

Half second_half(const ReportData& data) {
  Half out;
  std::copy_n(data.begin() + out.size(), out.size(), out.begin());
  return out;
}

// How the first half was made: from the identity alone (L1), or from the identity and this TLS key (L2).
struct Layout {
  bool bound = false;
  std::optional<Half> tls_spki_sha256;
};

Layout find_layout(const Half& actual, ByteView identity, const ServedReport& report, const Expected& expected) {
  if (actual == first_half(evidence::report_data_l1(identity, {}))) return {true, std::nullopt};
  for (const std::optional<Half>& key : {report.tls_cert_fingerprint, expected.tls_spki_sha256}) {
    if (key && actual == first_half(evidence::report_data_l2(identity, *key, {}))) return {true, key};
  }
  return {};
}

Check check_identity(const Half& actual, const Layout& layout, ByteView identity, const ServedReport& report) {
  const std::string id = "report_data.identity";
  if (layout.bound) return passed(id, to_hex(actual), layout.tls_spki_sha256 ? "with a TLS key (L2)" : "alone (L1)");
  const ReportData expected = report.tls_cert_fingerprint
                                  ? evidence::report_data_l2(identity, *report.tls_cert_fingerprint, {})
                                  : evidence::report_data_l1(identity, {});
  return failed(id, "the quote binds another identity than the signing address", to_hex(first_half(expected)),
                to_hex(actual));
}

Check check_tls(const Layout& layout, const ServedReport& report, const Expected& expected, TlsKeyOrigin origin,
                const Policy& policy) {
  const std::string id = "report_data.tls";
  const auto text = [](const std::optional<Half>& key) { return key ? to_hex(*key) : std::string("none"); };
  if (expected.tls_spki_sha256) {
    if (!layout.bound) return skipped(id, "report data binds no identity that is known here");
    if (layout.tls_spki_sha256 == expected.tls_spki_sha256) {
      return bound_tls_key(id, text(layout.tls_spki_sha256), origin, policy);
    }
    return failed(id, "the TLS connection ends at a key that the quote does not bind", text(expected.tls_spki_sha256),
                  text(layout.tls_spki_sha256));
  }
  if (!report.tls_cert_fingerprint && origin == TlsKeyOrigin::kGiven)
    return unseen_tls_key(id, origin, expected, policy);
  if (!report.tls_cert_fingerprint) return not_applicable(id, "no TLS binding was asked for");
  if (layout.bound && !layout.tls_spki_sha256) {
    return failed(id, "the report shows a TLS key that the quote does not bind", text(report.tls_cert_fingerprint),
                  "none");
  }
  return unseen_tls_key(id, origin, expected, policy);
}

}  // namespace

void check_report_data(const ServedReport& report, ByteView identity, const ReportData& report_data,
                       const Expected& expected, const Policy& policy, Verdict& verdict) {
  const Half actual = first_half(report_data);
  const Layout layout = find_layout(actual, identity, report, expected);
  verdict.add(check_identity(actual, layout, identity, report));
  verdict.add(compared("report_data.nonce", to_hex(expected.nonce.value_or(report.request_nonce)),
                       to_hex(second_half(report_data)), "the quote was made for another nonce"));
  const TlsKeyOrigin origin = legacy_tls_key_origin(report, verdict);
  verdict.add(check_tls(layout, report, expected, origin, policy));
  if (expected.tls_spki_sha256) verdict.facts["tls_key_origin"] = evidence::to_text(origin);
  if (layout.bound) verdict.facts["report_data_layout"] = layout.tls_spki_sha256 ? "L2" : "L1";
}

}  // namespace cloister::verify
