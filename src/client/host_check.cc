#include "client/host_check.h"

#include "verify/connection.h"

namespace cloister::client {

namespace {

verify::Channel channel_of(const HostReport& report) {
  if (report.unencrypted) return verify::Channel::kInsecureHttp;
  return report.tls_spki_sha256 ? verify::Channel::kTls : verify::Channel::kThisMachine;
}

}  // namespace

HostCheck judge_host(HostReport report, const verify::Context& context) {
  HostCheck check;
  const verify::Expected expected{.nonce = report.nonce, .tls_spki_sha256 = report.tls_spki_sha256, .tls_host = report.host};
  check.verdict = verify::verify_report(report.text, expected, context);
  check.verdict.facts["asked_form"] = report.native ? "native" : "legacy";
  check.attested_addresses = verify::attested_addresses(check.verdict);
  verify::check_connection(channel_of(report), check.verdict);
  check.report = std::move(report);
  return check;
}

}  // namespace cloister::client
