#include "client/host_check.h"

#include "verify/check.h"

namespace cloister::client {

void add_connection_check(const HostReport& report, verify::Verdict& verdict) {
  const std::string id = "connection.encryption";
  if (report.unencrypted) {
    verdict.facts["connection"] = "insecure_http";
    verdict.add(verify::skipped(id, "plain http to another machine, as --insecure-http allows: everyone on the way reads "
                                    "the prompt and the reply, and can change both", false));
    return;
  }
  verdict.facts["connection"] = report.tls_spki_sha256 ? "tls" : "this_machine";
  // Not required: a channel that nobody else reads says nothing about the node at its end.
  verify::Check check = verify::passed(id, report.tls_spki_sha256 ? "TLS" : "http that does not leave this machine");
  check.required = false;
  verdict.add(std::move(check));
}

HostCheck judge_host(HostReport report, const verify::Context& context) {
  HostCheck check;
  const verify::Expected expected{.nonce = report.nonce, .tls_spki_sha256 = report.tls_spki_sha256, .tls_host = report.host};
  check.verdict = verify::verify_report(report.text, expected, context);
  check.verdict.facts["asked_form"] = report.native ? "native" : "legacy";
  check.attested_addresses = verify::attested_addresses(check.verdict);
  add_connection_check(report, check.verdict);
  check.report = std::move(report);
  return check;
}

}  // namespace cloister::client
