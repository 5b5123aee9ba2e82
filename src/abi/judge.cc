// The judging calls: each turns its input into a verify::Subject, which one function judges (src/verify/subject). CLOISTER_ACCEPTED leaves
// this file in one place, where an accepted verdict does.
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "abi/handles.h"
#include "abi/sized_struct.h"
#include "base/encoding.h"
#include "base/terminal_text.h"
#include "codec/json.h"
#include "evidence/model_identity.h"
#include "verify/bundle.h"
#include "verify/report.h"
#include "verify/subject/held_file.h"
#include "verify/subject/input_forms.h"
#include "verify/subject/subject.h"

using namespace cloister;
using abi::Refusal;

namespace {

// What one call asks.
struct Question {
  verify::Subject subject;
  std::set<std::string> given;  // values that the caller named, and that have to be compared with something
  std::optional<evidence::ModelIdentity> model_manifest;
  std::optional<Bytes> report_data;  // of evidence without a report around it
  std::string held_form;             // "archive" or "bundle" for a file that holds everything
};

// Reads the members of an input. The first that is wrong decides; what is read after that does not count.
class Members {
 public:
  const std::optional<Refusal>& refusal() const { return refusal_; }
  void refuse(cloister_status status, const std::string& message) {
    if (!refusal_) refusal_ = Refusal{status, message};
  }
  void refuse(const Error& error) {
    if (!refusal_) refusal_ = abi::refusal_of(error);
  }

  std::optional<std::string_view> optional(const std::string& name, const cloister_bytes& bytes, std::size_t most) {
    if (bytes.data == nullptr && bytes.size == 0) return std::nullopt;
    if (bytes.data == nullptr) {
      refuse(CLOISTER_ERROR_NULL, name + ": NULL with a size other than 0");
    } else if (bytes.size > most) {
      refuse(CLOISTER_ERROR_TOO_LARGE,
             name + ": expected at most " + std::to_string(most) + " bytes, got " + std::to_string(bytes.size));
    } else {
      return std::string_view(static_cast<const char*>(bytes.data), bytes.size);
    }
    return std::nullopt;
  }

  // Evidence of this kind.
  std::string evidence(const std::string& kind, const cloister_bytes& bytes) {
    const auto text = optional(kind, bytes, verify::most_bytes_of(kind));
    if (!text) {
      refuse(CLOISTER_ERROR_NULL, kind + ": absent");
      return {};
    }
    if (const auto form = verify::check_evidence_form(kind, kind, *text); !form) refuse(form.error());
    return std::string(*text);
  }

  // What stands beside the evidence under this name.
  void beside(const std::string& name, const cloister_bytes& bytes, verify::Subject& subject) {
    const auto text = optional(name, bytes, verify::most_bytes_of(name));
    if (!text) return;
    if (const auto form = verify::check_beside_form(name, name, *text); !form) refuse(form.error());
    subject.saved.beside[name] = *text;
  }

  // A name: text that is not empty.
  std::optional<std::string> name(const std::string& name, const cloister_bytes& bytes) {
    const auto text = optional(name, bytes, abi::kMostNameBytes);
    if (!text) return std::nullopt;
    if (text->empty()) refuse(CLOISTER_ERROR_MALFORMED, name + ": empty");
    return std::string(*text);
  }

  // A value that the caller made or saw: never of zeros alone.
  template <std::size_t N>
  std::optional<ByteArray<N>> fixed(const std::string& name, const cloister_bytes& bytes) {
    if (bytes.data == nullptr && bytes.size == 0) return std::nullopt;
    if (bytes.data == nullptr) {
      refuse(CLOISTER_ERROR_NULL, name + ": NULL with a size other than 0");
      return std::nullopt;
    }
    if (bytes.size != N) {
      refuse(CLOISTER_ERROR_SIZE,
             name + ": expected " + std::to_string(N) + " bytes, got " + std::to_string(bytes.size));
      return std::nullopt;
    }
    ByteArray<N> out;
    std::memcpy(out.data(), bytes.data, N);
    if (const auto filled = verify::check_filled(out); !filled)
      refuse(CLOISTER_ERROR_MALFORMED, name + ": " + filled.error().message);
    return out;
  }

  void model_manifest(const cloister_bytes& bytes, Question& question) {
    const auto text = optional("model-manifest", bytes, abi::kMostManifestBytes);
    if (!text) return;
    const Result<evidence::ModelIdentity> manifest = read_manifest(*text);
    if (!manifest) return refuse(verify::named_error("model-manifest", manifest.error()));
    question.model_manifest = *manifest;
    question.given.insert("model-manifest");
  }

  // 0x and 40 hex digits (ECDSA), or 64 hex digits (Ed25519).
  void address(const cloister_bytes& bytes, Question& question) {
    const auto text = name("address", bytes);
    if (!text) return;
    const bool ecdsa = text->starts_with("0x") && from_hex_exactly<20>(std::string_view(*text).substr(2));
    if (!ecdsa && !from_hex_exactly<32>(*text))
      refuse(CLOISTER_ERROR_MALFORMED, "address: expected 0x and 40 hex digits, or 64 hex digits");
    question.subject.saved.beside["address"] = *text;
    question.given.insert("address");
  }

  // A value by which the caller names what is asked about.
  void named(const std::string& what, const cloister_bytes& bytes, Question& question) {
    const auto text = name(what, bytes);
    if (!text) return;
    question.subject.saved.beside[what] = *text;
    question.given.insert(what);
  }

  void body(const std::string& what, const cloister_bytes& bytes, Question& question) {
    if (bytes.data == nullptr && bytes.size == 0) return;
    beside(what, bytes, question.subject);
    question.given.insert(what);
  }

  void nonce(const cloister_bytes& bytes, Question& question) {
    const auto own = fixed<32>("nonce", bytes);
    if (!own) return;
    question.subject.saved.nonce = own;
    question.given.insert("nonce");
  }

  void report_data(const cloister_bytes& bytes, Question& question) {
    const auto own = fixed<64>("report-data", bytes);
    if (!own) return;
    question.report_data = Bytes(own->begin(), own->end());
    question.given.insert("report-data");
  }

 private:
  static Result<evidence::ModelIdentity> read_manifest(std::string_view text) {
    TRY(object, codec::parse_json(text));
    return evidence::parse_model_identity(object);
  }

  std::optional<Refusal> refusal_;
};

cloister_outcome outcome_of(const verify::Verdict& verdict) {
  switch (verdict.outcome()) {
    case verify::Outcome::kAccepted: return CLOISTER_ACCEPTED;
    case verify::Outcome::kRejected: return CLOISTER_REJECTED;
    case verify::Outcome::kUndetermined: return CLOISTER_UNDETERMINED;
  }
  return CLOISTER_UNDETERMINED;
}

// Where memory is out, the verdict stays NULL.
cloister_outcome give_refusal(const Refusal& refusal, cloister_verdict** out) {
  if (out == nullptr) return CLOISTER_UNREADABLE;
  auto handle = std::make_unique<cloister_verdict>();
  handle->status = refusal.status;
  handle->error = ascii_line(refusal.message);
  *out = handle.release();
  return CLOISTER_UNREADABLE;
}

// Nobody is told of an accepted verdict that could not be kept.
cloister_outcome give_verdict(verify::Verdict verdict, cloister_verdict** out) {
  const cloister_outcome outcome = outcome_of(verdict);
  if (out == nullptr) return outcome;
  auto handle = std::make_unique<cloister_verdict>();
  handle->outcome = outcome;
  if (outcome == CLOISTER_ACCEPTED) handle->addresses = verify::attested_addresses(verdict);
  handle->verdict = std::move(verdict);
  *out = handle.release();
  return outcome;
}

// The first setter that failed, and has not succeeded since.
std::optional<Refusal> failed_setter(const cloister_verifier& verifier) {
  static constexpr const char* kNames[abi::kSetters] = {"set_time", "set_policy", "add_collateral", "add_rim"};
  for (std::size_t i = 0; i < abi::kSetters; ++i) {
    if (!verifier.failed[i]) continue;
    const std::string& why = verifier.why_failed[i];
    return Refusal{CLOISTER_ERROR_SETTER, "cloister_verifier_" + std::string(kNames[i]) +
                                              " failed before: " + (why.empty() ? "memory is out" : why)};
  }
  return std::nullopt;
}

struct Answer {
  std::optional<Refusal> refusal;
  verify::Verdict verdict;  // where there is no refusal
};

Answer refused(cloister_status status, std::string message) { return {Refusal{status, std::move(message)}, {}}; }

Answer answer(const cloister_verifier& verifier, Question& question) {
  verify::Subject& subject = question.subject;
  if (const auto comparable = verify::check_comparable(subject, question.given, "the value of "); !comparable)
    return refused(CLOISTER_ERROR_COMPARISON, comparable.error().message);
  if (const auto readable = verify::check_readable(subject); !readable) return {abi::refusal_of(readable.error()), {}};

  std::optional<verify::Policy> own_policy;
  if (question.model_manifest || question.report_data) own_policy = verifier.policy;
  if (question.model_manifest) own_policy->service.model_manifest = question.model_manifest;
  if (question.report_data && subject.saved.kind == "snp") {
    subject.saved.beside["report-data"] = as_text(*question.report_data);
  } else if (question.report_data) {
    const auto expected = verify::expect_report_data(*question.report_data, *own_policy);
    if (!expected) return refused(CLOISTER_ERROR_COMPARISON, "report-data: " + expected.error().message);
  }
  const std::optional<UnixSeconds> named = verifier.follows_clock ? std::optional(system_clock().now()) : verifier.time;
  subject.time_named = named.has_value();
  const std::optional<UnixSeconds> time = named ? named : verify::time_in_file(subject);
  if (!time) {
    return refused(CLOISTER_ERROR_TIME,
                   "no time to judge at: see cloister_verifier_follow_clock() and cloister_verifier_set_time()");
  }
  if (*time < 0 || *time > abi::kLastTime)
    return refused(CLOISTER_ERROR_TIME, "the system's clock is outside the years 1970 to 9999");

  verify::Collateral own_collateral;
  if (!question.held_form.empty()) {
    own_collateral = verifier.collateral;
    verify::add_collateral(own_collateral, std::move(subject.saved.collateral));
  }
  const verify::Context context{own_policy ? *own_policy : verifier.policy,
                                question.held_form.empty() ? verifier.collateral : own_collateral, *time,
                                &verifier.tdx_cache};
  Result<verify::Verdict> verdict = verify::judge(subject, context, verify::nothing_gathered());
  if (!verdict) return {abi::refusal_of(verdict.error()), {}};
  if (!question.held_form.empty()) verify::name_held_file(subject, question.held_form, *verdict);
  return {std::nullopt, *std::move(verdict)};
}

// What all judging calls do. `fill` reads the input's members into the question.
template <typename Input, typename Fill>
cloister_outcome judge_input(const cloister_verifier* verifier, const Input* input, std::uint32_t known_flags,
                             cloister_verdict** out, Fill fill) noexcept {
  if (out != nullptr) *out = nullptr;
  try {
    if (verifier == nullptr) return give_refusal({CLOISTER_ERROR_NULL, "no verifier"}, out);
    if (input == nullptr) return give_refusal({CLOISTER_ERROR_NULL, "no input"}, out);
    if (const auto failed = failed_setter(*verifier)) return give_refusal(*failed, out);
    Input known;
    if (!abi::read_sized(input, known))
      return give_refusal({CLOISTER_ERROR_STRUCT_SIZE, "struct_size is of no version that is known here"}, out);
    if ((known.flags & ~known_flags) != 0)
      return give_refusal({CLOISTER_ERROR_FLAGS, "a flag that is not known here"}, out);
    Question question;
    Members members;
    fill(known, members, question);
    if (members.refusal()) return give_refusal(*members.refusal(), out);
    Answer found = answer(*verifier, question);
    return found.refusal ? give_refusal(*found.refusal, out) : give_verdict(std::move(found.verdict), out);
  } catch (const std::exception&) {
    // Memory is out: nothing was judged, whatever was found.
    return CLOISTER_UNREADABLE;
  }
}

// Reads a file that holds everything.
using OpenFile = Result<verify::Subject> (*)(const std::string&, std::string_view, const verify::OwnWords&);
cloister_outcome judge_file(const cloister_verifier* verifier, const cloister_file_input* input, const char* form,
                            OpenFile open, cloister_verdict** out) noexcept {
  return judge_input(verifier, input, CLOISTER_FILE_BEGINNING, out,
                     [form, open](const cloister_file_input& in, Members& members, Question& question) {
                       const auto text = members.optional(form, in.file, verify::most_bytes_of(form));
                       const auto nonce = members.fixed<32>("nonce", in.nonce);
                       if (!text) members.refuse(CLOISTER_ERROR_NULL, std::string(form) + ": absent");
                       if (members.refusal()) return;
                       Result<verify::Subject> subject =
                           open("the file", *text, {.nonce = nonce, .response = in.response.data != nullptr});
                       if (!subject) return members.refuse(subject.error());
                       const std::size_t most = verify::most_bytes_of(subject->saved.kind);
                       if (subject->saved.evidence.size() > most) {
                         return members.refuse(CLOISTER_ERROR_TOO_LARGE,
                                               "the evidence is larger than " + std::to_string(most) + " bytes");
                       }
                       question.subject = *std::move(subject);
                       question.subject.beginning = (in.flags & CLOISTER_FILE_BEGINNING) != 0;
                       question.held_form = form;
                       if (nonce) question.given.insert("nonce");
                       members.body("request", in.request, question);
                       members.body("response", in.response, question);
                       members.named("id", in.id, question);
                       members.named("model", in.model, question);
                       members.address(in.address, question);
                       members.report_data(in.report_data, question);
                       members.model_manifest(in.model_manifest, question);
                     });
}

}  // namespace

extern "C" {

cloister_outcome cloister_verify_report(const cloister_verifier* verifier, const cloister_report_input* input,
                                        cloister_verdict** verdict) {
  return judge_input(
      verifier, input, CLOISTER_REPORT_AS_DOCUMENT, verdict, [](const auto& in, Members& members, Question& question) {
        verify::Subject& subject = question.subject;
        subject.saved.kind = "report";
        subject.saved.evidence = members.evidence("report", in.report);
        members.nonce(in.nonce, question);
        subject.saved.tls_spki_sha256 = members.fixed<32>("tls_spki_sha256", in.tls_spki_sha256);
        subject.tls_host = members.name("tls_host", in.tls_host);
        if (subject.tls_host && !subject.saved.tls_spki_sha256)
          members.refuse(CLOISTER_ERROR_COMPARISON, "tls_host: there is no tls_spki_sha256 beside it");
        subject.no_connection = (in.flags & CLOISTER_REPORT_AS_DOCUMENT) != 0;
        if (subject.no_connection && subject.saved.tls_spki_sha256)
          members.refuse(CLOISTER_ERROR_COMPARISON, "tls_spki_sha256: a document has no connection to compare with");
        members.beside("instances", in.instances, subject);
        subject.asked_model = members.name("model", in.model);
        members.model_manifest(in.model_manifest, question);
      });
}

cloister_outcome cloister_verify_quote(const cloister_verifier* verifier, const cloister_quote_input* input,
                                       cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    verify::Subject& subject = question.subject;
    subject.saved.kind = "quote";
    subject.saved.evidence = members.evidence("quote", in.quote);
    members.report_data(in.report_data, question);
    members.beside("event-log", in.event_log, subject);
    members.beside("ccel", in.ccel, subject);
    members.beside("app-compose", in.app_compose, subject);
    members.beside("vm-config", in.vm_config, subject);
  });
}

cloister_outcome cloister_verify_gpu(const cloister_verifier* verifier, const cloister_gpu_input* input,
                                     cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    question.subject.saved.kind = "gpu";
    question.subject.saved.evidence = members.evidence("gpu", in.evidence);
    members.beside("chain", in.chain, question.subject);
    members.nonce(in.nonce, question);
  });
}

cloister_outcome cloister_verify_snp(const cloister_verifier* verifier, const cloister_snp_input* input,
                                     cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    question.subject.saved.kind = "snp";
    question.subject.saved.evidence = members.evidence("snp", in.report);
    members.report_data(in.report_data, question);
  });
}

cloister_outcome cloister_verify_receipt(const cloister_verifier* verifier, const cloister_receipt_input* input,
                                         cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    verify::Subject& subject = question.subject;
    subject.saved.kind = "receipt";
    subject.saved.evidence = members.evidence("receipt", in.receipt);
    members.beside("report", in.report, subject);
    members.nonce(in.nonce, question);
    members.beside("keyset", in.keyset, subject);
    members.beside("session", in.session, subject);
    members.beside("prefix-proof", in.prefix_proof, subject);
    members.body("request", in.request, question);
    members.body("response", in.response, question);
    members.named("id", in.id, question);
    members.named("model", in.model, question);
    members.model_manifest(in.model_manifest, question);
  });
}

cloister_outcome cloister_verify_session(const cloister_verifier* verifier, const cloister_session_input* input,
                                         cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    verify::Subject& subject = question.subject;
    subject.saved.kind = "session";
    subject.saved.evidence = members.evidence("session", in.session);
    if (const auto id = members.fixed<32>("id", in.id)) subject.saved.beside["id"] = to_hex(*id);
    members.beside("receipt", in.receipt, subject);
    members.model_manifest(in.model_manifest, question);
  });
}

cloister_outcome cloister_verify_signature(const cloister_verifier* verifier, const cloister_signature_input* input,
                                           cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    question.subject.saved.kind = "signature";
    question.subject.saved.evidence = members.evidence("signature", in.signature);
    members.body("request", in.request, question);
    members.body("response", in.response, question);
    members.address(in.address, question);
  });
}

cloister_outcome cloister_verify_proof(const cloister_verifier* verifier, const cloister_file_input* input,
                                       cloister_verdict** verdict) {
  return judge_input(verifier, input, 0, verdict, [](const auto& in, Members& members, Question& question) {
    question.subject.saved.kind = "proof";
    question.subject.saved.evidence = members.evidence("proof", in.file);
    members.nonce(in.nonce, question);
    members.body("request", in.request, question);
    members.body("response", in.response, question);
    members.named("id", in.id, question);
    members.named("model", in.model, question);
    members.address(in.address, question);
    members.report_data(in.report_data, question);
    members.model_manifest(in.model_manifest, question);
  });
}

cloister_outcome cloister_verify_archive(const cloister_verifier* verifier, const cloister_file_input* input,
                                         cloister_verdict** verdict) {
  return judge_file(verifier, input, "archive", verify::open_archive, verdict);
}

cloister_outcome cloister_verify_bundle(const cloister_verifier* verifier, const cloister_file_input* input,
                                        cloister_verdict** verdict) {
  return judge_file(verifier, input, "bundle", verify::open_bundle, verdict);
}

}  // extern "C"
