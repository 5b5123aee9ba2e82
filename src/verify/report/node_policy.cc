#include "verify/report/node_policy.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "evidence/event_log.h"
#include "evidence/json_reader.h"
#include "evidence/key_configuration.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "evidence/simulator_roots.h"
#include "verify/boot/events.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using Digest = std::optional<ByteArray<32>>;

constexpr std::string_view kSchema = "cloister.policy.v1";
constexpr std::string_view kMembers[] = {
    "policy.engine", "policy.serving", "policy.upstreams",   "policy.tls",     "policy.prompt_cache",
    "policy.tee",    "policy.gpu",     "policy.gpu_library", "policy.logging", "policy.keys"};

std::string text_of(const Digest& digest) { return digest ? evidence::digest_text(*digest) : "null"; }

// A member of a table of the document; null where there is none.
const Json& at(const Json& document, const char* table, const char* name) {
  static const Json kNull;
  const auto outer = document.find(table);
  if (outer == document.end() || !outer->is_object()) return kNull;
  const auto inner = outer->find(name);
  return inner == outer->end() ? kNull : *inner;
}

std::string text_at(const Json& document, const char* table, const char* name) {
  const Json& value = at(document, table, name);
  return value.is_string() ? value.get<std::string>() : "";
}

// Absent where the member is no boolean.
std::optional<bool> flag_at(const Json& document, const char* table, const char* name) {
  const Json& value = at(document, table, name);
  return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
}

Check unknown(std::string_view id, const char* member) {
  return skipped(std::string(id), std::string("the document does not say it in a known way: ") + member);
}

// The parts of the document that the checks read.
struct NodePolicy {
  const Json& document;
  const Policy& policy;
  std::string tee_type;                  // what the evidence shows
  const std::vector<Digest>& libraries;  // that the log tells of
  bool ends_here;                        // report_data.tls passes
  bool no_connection;                    // there is none whose key could be compared
  bool events_unseen;                    // something was measured after the boot, and no log that replays says what
};

Check check_engine(const NodePolicy& node) {
  const std::string kind = text_at(node.document, "engine", "kind");
  if (kind == "llama" || kind == "upstream") return passed("policy.engine", kind);
  if (kind == "echo") return passed("policy.engine", kind, "it returns the text of the request: no model answers");
  return unknown("policy.engine", "engine.kind");
}

Check check_serving(const NodePolicy& node) {
  const std::string id = "policy.serving", serving = text_at(node.document, "engine", "serving");
  if (serving == "direct") return passed(id, serving);
  if (serving != "aggregator") return unknown(id, "engine.serving");
  return skipped(id,
                 "this TEE passes requests on: its evidence does not show who answers (a policy accepts that with "
                 "service.accept_upstream_claims)",
                 !node.policy.service.accept_upstream_claims);
}

Check check_upstreams(const NodePolicy& node) {
  const std::string id = "policy.upstreams";
  const Json& list = at(node.document, "engine", "upstreams");
  if (!list.is_array()) return unknown(id, "engine.upstreams");
  std::vector<std::string> listed, elsewhere, in_clear;
  for (const Json& element : list) {
    const std::string url = element.is_string() ? element.get<std::string>() : "no text";
    if (is_local_address(url)) continue;
    if (node.policy.service.upstreams.contains(url)) {
      listed.push_back(url);
    } else {
      (url.starts_with("https://") ? elsewhere : in_clear).push_back(url);
    }
  }
  const auto joined = [](const std::vector<std::string>& urls) {
    std::string out;
    for (const std::string& url : urls) out += (out.empty() ? "" : ", ") + url.substr(0, 128);
    return out.substr(0, 1024);
  };
  if (!in_clear.empty()) {
    return skipped(id, "prompts go to a server that is not known to be inside this TEE, without TLS; list it under "
                       "service.upstreams if it is: " +
                           joined(in_clear));
  }
  if (!elsewhere.empty()) {
    return skipped(id,
                   "prompts go to another server; list it under service.upstreams if you know who answers there: " +
                       joined(elsewhere),
                   !node.policy.service.accept_upstream_claims);
  }
  if (list.empty()) return passed(id, "none");
  return passed(id, std::to_string(list.size()) + (list.size() == 1 ? " server" : " servers"),
                listed.empty() ? "on the same machine" : "the verifier's policy lists " + joined(listed));
}

bool is_local_listener(const NodePolicy& node) {
  const std::string address = text_at(node.document, "listen", "address");
  return is_local_address("http://" + (address.find(':') == std::string::npos ? address : "[" + address + "]"));
}

Check check_tls(const NodePolicy& node) {
  const std::string id = "policy.tls", tls = text_at(node.document, "listen", "tls");
  if (tls.empty()) return unknown(id, "listen.tls");
  if (tls != "none" && node.ends_here) return passed(id, tls, "report_data.tls shows that the connection ends there");
  if (tls != "none" && node.no_connection) return passed(id, tls, "verified as a document, without a connection");
  if (tls != "none") {
    return skipped(id, "the node has TLS of its own, and report_data.tls does not show that the connection ends there");
  }
  if (is_local_listener(node)) return passed(id, tls, "only the machine itself reaches the node's address");
  if (node.policy.service.allow_plain_http) return passed(id, tls, "allowed by the policy");
  return skipped(id,
                 "other machines reach the node without TLS of its own: a machine in front of it can read everything");
}

Check check_prompt_cache(const NodePolicy& node) {
  const std::string id = "policy.prompt_cache";
  const auto shared = flag_at(node.document, "engine", "shared_prompt_cache");
  if (!shared) return unknown(id, "engine.shared_prompt_cache");
  if (!*shared) return passed(id, "separate for each credential");
  if (is_local_listener(node)) return passed(id, "shared", "only the machine itself reaches the node's address");
  if (node.policy.service.allow_shared_prompt_cache) return passed(id, "shared", "allowed by the policy");
  return skipped(id,
                 "callers share a prompt cache: one caller can learn from the response time what another one asked");
}

Check check_tee(const NodePolicy& node) {
  const std::string id = "policy.tee";
  const Json& value = node.document.contains("tee") ? node.document.at("tee") : Json();
  if (!value.is_string()) return unknown(id, "tee");
  const std::string named = value.get<std::string>();
  const std::string kind = named == "dstack" ? "tdx" : named;
  if (node.tee_type == "unknown") return skipped(id, "the evidence ends in no known root");
  // A dstack guest agent may be simulated: the evidence then says so.
  if (kind == node.tee_type || (named == "dstack" && node.tee_type == evidence::kSimulatorName))
    return passed(id, named);
  return failed(id, "the node says that it collects evidence of another TEE", node.tee_type, named);
}

Check check_gpu(const NodePolicy& node) {
  const std::string id = "policy.gpu", source = text_at(node.document, "gpu", "evidence");
  const auto required = flag_at(node.document, "gpu", "required");
  if (!required || source.empty()) return unknown(id, "gpu");
  const bool simulated = source == evidence::kSimulatorName;
  if (simulated && node.tee_type != evidence::kSimulatorName) {
    return failed(id, "the node simulates its GPU evidence in a real TEE", "a real GPU, or none", source);
  }
  if (*required) return passed(id, "required", "evidence by " + source);
  if (node.policy.nvidia.required == GpuRequirement::kAlways) {
    return failed(id, "the policy requires a GPU, and the node takes prompts without having verified one", "required",
                  "not required, evidence by " + source);
  }
  if (source == "none") return passed(id, "none", "the node shows no GPU");
  if (node.tee_type == evidence::kSimulatorName)
    return passed(id, source, "not required, in a TEE that is simulated anyway");
  if (node.policy.nvidia.required == GpuRequirement::kNever) return not_applicable(id, "the policy leaves GPUs out");
  return skipped(id, "the node takes prompts although its GPUs may not be in confidential mode");
}

// The first of the logged libraries that is not accepted, in words. What runs in the node can have it write any document; what was measured before
// stays.
std::optional<std::string> unlisted(const std::vector<Digest>& logged, const std::set<Bytes>& accepted) {
  for (const Digest& library : logged) {
    if (library && accepted.contains(to_bytes(*library))) continue;
    return "the event log shows that this machine has loaded a GPU library that is not listed under service.gpu_libraries: " +
           (library ? text_of(library) : std::string("of no digest"));
  }
  return std::nullopt;
}

Check check_gpu_library(const NodePolicy& node) {
  const std::string id = "policy.gpu_library";
  const std::set<Bytes>& accepted = node.policy.service.gpu_libraries;
  const auto gpu = node.document.find("gpu");
  if (gpu == node.document.end() || !gpu->is_object() || !gpu->contains("library")) return unknown(id, "gpu.library");
  const Json& named = gpu->at("library");
  Digest digest;
  if (!named.is_null()) {
    const auto read = evidence::parse_digest(named.is_string() ? named.get<std::string>() : "");
    if (!read) return unknown(id, "gpu.library");
    digest = *read;
    if (!accepted.contains(to_bytes(*digest))) {
      return skipped(
          id,
          "code of a file that the operator named runs inside the node; list it under service.gpu_libraries if you know it: " +
              text_of(digest));
    }
  }
  if (const auto why = unlisted(node.libraries, accepted)) return skipped(id, *why);
  if (node.events_unseen) {
    return skipped(
        id,
        "events were measured into RTMR3, and no event log is shown that replays to it: one of them may name a GPU library");
  }
  if (!digest) return passed(id, "none", "the measured system's own library, where the node has a GPU");
  return passed(id, text_of(digest), "the verifier's policy lists it");
}

Check check_logging(const NodePolicy& node) {
  const std::string content = text_at(node.document, "logging", "content");
  if (content.empty()) return unknown("policy.logging", "logging.content");
  return compared("policy.logging", "never", content, "the node logs prompts and replies");
}

Check check_keys(const NodePolicy& node) {
  const std::string id = "policy.keys";
  const auto named = node.document.find(evidence::kKeyConfigurationMember);
  if (named == node.document.end()) {
    return skipped(
        id,
        "the document does not say which configuration the keys belong to: another start of the node may have the same ones",
        false);
  }
  const Result<ByteArray<32>> digest = evidence::key_configuration_digest(node.document);
  if (!digest || !named->is_string()) return unknown(id, "key_configuration");
  return compared(id, evidence::digest_text(*digest), named->get<std::string>(),
                  "the keys belong to another configuration");
}

void skip_members(Verdict& verdict, const std::string& why) {
  for (const std::string_view id : kMembers) verdict.add(skipped(std::string(id), why));
}

// For a document that the verifier knows, or knows to be none. A library that it does not name speaks against it all the same.
void leave_out_members(Verdict& verdict, const std::string& why, const Json& document,
                       const std::vector<Digest>& libraries, const Policy& policy) {
  std::set<Bytes> accepted = policy.service.gpu_libraries;
  const Json& named = at(document, "gpu", "library");
  if (named.is_string()) {
    if (const auto digest = evidence::parse_digest(named.get<std::string>())) accepted.insert(to_bytes(*digest));
  }
  const auto unlisted_library = unlisted(libraries, accepted);
  for (const std::string_view id : kMembers) {
    const bool is_library = id == "policy.gpu_library" && unlisted_library;
    verdict.add(is_library ? skipped(std::string(id), *unlisted_library) : not_applicable(std::string(id), why));
  }
}

// policy.document. True when the members are to be checked.
bool check_document(const Json& document, const Digest& bound, NodeKind kind, const std::vector<Digest>& libraries,
                    const Policy& policy, const char* mismatch, Verdict& verdict) {
  const std::string id = "policy.document";
  const bool pinned = bound && policy.service.policy_digests.contains(to_bytes(*bound));
  if (document.is_null()) {
    if (pinned) {
      verdict.add(passed(id, text_of(bound), "the verifier's policy lists this digest"));
      leave_out_members(verdict, "the verifier knows this document", document, libraries, policy);
    } else if (bound) {
      verdict.add(skipped(id, "the node does not show the policy document with the digest " + text_of(bound)));
      skip_members(verdict, "the policy document was not shown");
    } else if (kind == NodeKind::kCloister) {
      verdict.add(skipped(id, "a Cloister node answers, and its policy document is not shown"));
      skip_members(verdict, "the policy document was not shown");
    } else if (!policy.service.accept_no_node_policy) {
      verdict.add(skipped(
          id,
          "the report shows no policy document, and nothing that it binds says whether the node has one; where you know that the "
          "service is no Cloister node, set service.accept_no_node_policy"));
      skip_members(verdict, "the policy document was not shown");
    } else {
      verdict.add(not_applicable(
          id, "nothing here says that a Cloister node answers, and the policy accepts that there is no document"));
      leave_out_members(verdict, "there is no policy document", document, libraries, policy);
    }
    return false;
  }
  const Result<ByteArray<32>> digest = evidence::document_digest(document);
  if (!digest || (bound && *digest != *bound)) {
    verdict.add(failed(id, digest ? std::string(mismatch) : digest.error().message, text_of(bound),
                       digest ? text_of(Digest(*digest)) : "none"));
    skip_members(verdict, "the evidence binds another policy document");
    return false;
  }
  if (!bound) {
    verdict.add(skipped(id, "nothing in this evidence binds the policy document; ask for the node's own report"));
    skip_members(verdict, "nothing binds the policy document");
    return false;
  }
  if (pinned) {
    verdict.add(passed(id, text_of(bound), "the verifier's policy lists this digest"));
    leave_out_members(verdict, "the verifier knows this document", document, libraries, policy);
    return false;
  }
  const auto schema = document.is_object() ? document.find("schema") : document.end();
  if (!document.is_object() || schema == document.end() || *schema != kSchema) {
    verdict.add(
        skipped(id, "the policy document is of a form that is not known here; expected " + std::string(kSchema)));
    skip_members(verdict, "the policy document is of a form that is not known here");
    return false;
  }
  verdict.add(passed(id, text_of(bound)));
  return true;
}

Check check_logged(const std::string& id, const Digest& named, const std::set<Bytes>& accepted) {
  if (!named) return not_applicable(id, "this form names no digest, and neither does the event log");
  if (accepted.empty()) {
    return skipped(id, "no expected digest was given; the event log names " + text_of(named), false);
  }
  if (accepted.contains(to_bytes(*named))) return passed(id, text_of(named), "by the event log");
  return failed(id, "another digest than those expected", "one of " + std::to_string(accepted.size()), text_of(named));
}

// The payloads of all runtime events of this name, in order; absent where one has another size than 32 bytes. Nothing
// is read from a log that does not match the registers.
std::vector<Digest> logged_digests(const evidence::BootEvidence& boot, std::string_view name, const Verdict& verdict) {
  if (!boot.event_log) return {};
  const Check* replay = verdict.find("boot.rtmr3");
  if (replay == nullptr || replay->state != State::kPass) return {};
  for (const char* id : {"boot.event.digests", "boot.event.names", "boot.events.order", "boot.events.unique"}) {
    const Check* check = verdict.find(id);
    if (check == nullptr || check->state == State::kFail || check->state == State::kSkipped) return {};
  }
  const auto events = evidence::parse_event_log(*boot.event_log);
  if (!events) return {};
  // After a dstack boot has ended, the machine lets applications measure.
  const auto is_ready = [](const evidence::LoggedEvent& event) {
    return event.is_runtime() && event.name == kSystemReady;
  };
  const auto ready = std::ranges::find_if(*events, is_ready);
  std::vector<Digest> out;
  for (auto event = ready == events->end() ? events->begin() : ready; event != events->end(); ++event) {
    if (!event->is_runtime() || event->name != name) continue;
    out.emplace_back();
    if (event->payload.size() != 32) continue;
    std::ranges::copy(event->payload, out.back().emplace().begin());
  }
  return out;
}

bool are_events_unseen(const Verdict& verdict) {
  const std::string rtmr3 = verdict.facts.value("rtmr3", "");
  const Check* replay = verdict.find("boot.rtmr3");
  return rtmr3.find_first_not_of('0') != std::string::npos && (replay == nullptr || replay->state != State::kPass);
}

constexpr const char* kAnotherDocument = "the evidence binds another policy document";

// policy.document and, where it passes, what the document says. `mismatch`: what to say of a document that is not the one bound.
void check_document_and_members(const evidence::BootEvidence& boot, const Json& document, const Digest& bound,
                                NodeKind kind, const Expected& expected, const Policy& policy, const char* mismatch,
                                Verdict& verdict) {
  const std::vector<Digest> libraries = logged_digests(boot, evidence::kGpuLibraryEvent, verdict);
  if (!check_document(document, bound, kind, libraries, policy, mismatch, verdict)) return;
  const Check* tls = verdict.find("report_data.tls");
  const NodePolicy node{document,
                        policy,
                        verdict.facts.value("tee_type", "unknown"),
                        libraries,
                        tls != nullptr && tls->state == State::kPass,
                        expected.no_connection,
                        are_events_unseen(verdict)};
  verdict.add(check_engine(node));
  verdict.add(check_serving(node));
  verdict.add(check_upstreams(node));
  verdict.add(check_tls(node));
  verdict.add(check_prompt_cache(node));
  verdict.add(check_tee(node));
  verdict.add(check_gpu(node));
  verdict.add(check_gpu_library(node));
  verdict.add(check_logging(node));
  verdict.add(check_keys(node));
  verdict.facts["node_policy"] = {{"engine", text_at(document, "engine", "kind")},
                                  {"serving", text_at(document, "engine", "serving")},
                                  {"upstreams", at(document, "engine", "upstreams")},
                                  {"signing", document.value("signing", Json())},
                                  {"tls", text_at(document, "listen", "tls")}};
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// True for 127.0.0.0/8, written as four numbers.
bool is_loopback_v4(std::string_view host) {
  if (!host.starts_with("127.")) return false;
  std::size_t parts = 0;
  for (;; ++parts) {
    const std::size_t dot = host.find('.');
    if (!is_number(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return parts == 3;
    host.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_local_address(std::string_view url) {
  if (url.starts_with("unix:")) return true;
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (host.find_first_of("@\\%") != std::string_view::npos) return false;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end != std::string_view::npos && host.substr(0, end + 1) == "[::1]" &&
           (end + 1 == host.size() || host[end + 1] == ':');
  }
  host = host.substr(0, host.find(':'));
  return host == "localhost" || is_loopback_v4(host);
}

std::optional<ByteArray<32>> logged_digest(const evidence::BootEvidence& boot, std::string_view name,
                                           const Verdict& verdict) {
  const std::vector<Digest> all = logged_digests(boot, name, verdict);
  return all.empty() ? std::nullopt : all.back();
}

void check_logged_digests(const evidence::BootEvidence& boot, const Json& document, NodeKind kind,
                          const Expected& expected, const Policy& policy, Verdict& verdict) {
  const Digest model = logged_digest(boot, evidence::kModelEvent, verdict);
  const std::vector<Digest> nodes = logged_digests(boot, evidence::kPolicyEvent, verdict);
  const Digest node = nodes.empty() ? std::nullopt : nodes.back();
  verdict.add(check_logged("report.model_digest", model, policy.service.model_digests));
  verdict.add(check_logged("report.policy_digest", node, policy.service.policy_digests));
  // Only the order of the events binds which of several configurations is in force (docs/decisions/0017).
  const Result<ByteArray<32>> shown = evidence::document_digest(document);
  const bool former = shown && node && *shown != *node && std::ranges::find(nodes, Digest(*shown)) != nodes.end();
  check_document_and_members(
      boot, document, node, kind, expected, policy,
      former ? "the machine has measured another configuration since: this node's own, which has changed, or that of "
               "another node in the same VM, which leaves this form without proof; ask for the node's own report"
             : kAnotherDocument,
      verdict);
}

void check_node_policy(const evidence::BootEvidence& boot, const Json& document,
                       const std::optional<ByteArray<32>>& bound, NodeKind kind, const Expected& expected,
                       const Policy& policy, Verdict& verdict) {
  check_document_and_members(boot, document, bound, kind, expected, policy, kAnotherDocument, verdict);
}

}  // namespace cloister::verify
