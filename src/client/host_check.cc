#include "client/host_check.h"

#include "codec/json.h"
#include "evidence/model_identity.h"
#include "verify/asked_model.h"
#include "verify/connection.h"

namespace cloister::client {
namespace {

// The id in the model's document of a report in Cloister's own form; empty where there is none.
std::string bound_model(const HostReport& report) {
  if (!report.native) return {};
  const Result<Json> object = codec::parse_json(report.text);
  if (!object || !object->is_object() || !object->contains("model") || !(*object)["model"].is_object()) return {};
  return codec::string_member((*object)["model"], "id").value_or("");
}

verify::Channel channel_of(const HostReport& report) {
  if (report.unencrypted) return verify::Channel::kInsecureHttp;
  return report.tls_spki_sha256 ? verify::Channel::kTls : verify::Channel::kThisMachine;
}

}  // namespace

bool gives_receipts(const HostReport& report) {
  if (!report.native) return false;
  const Result<Json> object = codec::parse_json(report.text);
  if (!object || !object->is_object()) return false;
  const auto policy = object->find("policy");
  return policy == object->end() || !policy->is_object() || policy->value("signing", Json(true)) != false;
}

bool hides_receipts(const HostCheck& host) {
  if (host.report.native) return false;
  const verify::Check* document = host.verdict.find("policy.document");
  if (document == nullptr || document->state != verify::State::kPass) return false;
  // Absent where the verifier's policy names the document by its digest, and does not parse it.
  const auto node = host.verdict.facts.find("node_policy");
  return node == host.verdict.facts.end() || node->value("signing", Json()) != false;
}

void add_model_check(Inquiry& node, const HostReport& report, const std::string& model, verify::Verdict& verdict) {
  const std::string bound = bound_model(report);
  verify::check_asked_model(model, bound, bound.empty() ? node.list_models() : std::vector<std::string>(), verdict);
}

HostCheck judge_host(HostReport report, const verify::Context& context) {
  HostCheck check;
  const verify::Expected expected{
      .nonce = report.nonce, .tls_spki_sha256 = report.tls_spki_sha256, .tls_host = report.host};
  check.verdict = verify::verify_report(report.text, expected, context);
  check.verdict.facts["asked_form"] = report.native ? "native" : "legacy";
  check.attested_addresses = verify::attested_addresses(check.verdict);
  verify::check_connection(channel_of(report), check.verdict);
  check.report = std::move(report);
  return check;
}

}  // namespace cloister::client
