// Verifies Tinfoil's attestation documents. In version 3 the quote binds TLS key, HPKE key, nonce and GPU evidence; in
// version 2 report data holds the two keys and no nonce.
#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/services.h"
#include "verify/report/statement_binding.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

using evidence::TinfoilDocument;
using Half = ByteArray<32>;

Half half_of(const evidence::ReportData& data, std::size_t from) {
  Half out;
  std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(from), out.size(), out.begin());
  return out;
}

Check check_nonce(const TinfoilDocument& document, const Expected& expected, const Policy& policy) {
  const std::string id = "report.nonce";
  if (document.version == 2) {
    return skipped(id, "this form is bound to no nonce, whatever is shown next to it: the report may be old",
                   policy.require_nonce);
  }
  if (!expected.nonce) return skipped(id, "the verifier gave no nonce: the report may be old", policy.require_nonce);
  return compared(id, to_hex(*expected.nonce), to_hex(document.nonce), "the report answers another nonce");
}

Check check_tls(const Half& key, bool bound, const Expected& expected) {
  const std::string id = "report_data.tls";
  if (!bound) return skipped(id, "report data binds no keys that are known here");
  if (!expected.tls_spki_sha256) {
    return skipped(id, "which TLS key the connection really used is not known here", !expected.no_connection);
  }
  return compared(id, to_hex(*expected.tls_spki_sha256), to_hex(key),
                  "the TLS connection ends at a key that the quote does not bind");
}

Check check_hpke(const Half& key, bool bound, const Expected& expected) {
  const std::string id = "report_data.e2ee";
  if (!bound) return skipped(id, "report data binds no keys that are known here");
  if (!expected.e2ee_public_key) return not_applicable(id, "no encryption key is in use");
  const Result<Bytes> used = from_hex(*expected.e2ee_public_key);
  if (used && equal(*used, key)) return passed(id, to_hex(key));
  return failed(id, "the key that is encrypted to is not the one that the quote binds", to_hex(key),
                *expected.e2ee_public_key);
}

void add_keys(const Half& tls_key, const Half& hpke_key, const char* layout, Verdict& verdict) {
  verdict.facts["report_data_layout"] = layout;
  verdict.facts["tls_key_sha256"] = to_hex(tls_key);
  verdict.facts["hpke_key"] = to_hex(hpke_key);
}

void judge_version2(const TinfoilDocument& document, const TeeFindings& tee, const Expected& expected,
                    const Context& context, Verdict& verdict) {
  verdict.add(not_applicable("report_data.identity",
                             "this form names no keys beside the quote: report data holds them itself"));
  verdict.add(skipped("report_data.nonce", "report data holds two keys and no nonce", context.policy.require_nonce));
  if (tee.report_data) {
    const Half tls_key = half_of(*tee.report_data, 0), hpke_key = half_of(*tee.report_data, 32);
    verdict.add(check_tls(tls_key, true, expected));
    verdict.add(check_hpke(hpke_key, true, expected));
    add_keys(tls_key, hpke_key, "T2", verdict);
  } else {
    skip_all(verdict, {"report_data.tls", "report_data.e2ee"}, "the quote could not be read");
  }
  check_gpus(document.devices, expected.nonce.value_or(evidence::Nonce{}), tee.root, context, verdict);
  verdict.facts["gpu_binding"] = "none";
}

bool check_binding(const TinfoilDocument& document, const evidence::ReportData& data, const Expected& expected,
                   const Policy& policy, Verdict& verdict) {
  const Half binding = evidence::tinfoil_binding(document);
  const bool bound = half_of(data, 0) == binding;
  verdict.add(compared("report_data.identity", to_hex(binding), bound_half(data),
                       "the quote binds other keys, another nonce or other GPU evidence"));
  const std::string id = "report_data.nonce";
  if (!bound) {
    verdict.add(skipped(id, "report data binds keys, nonce and evidence as one, and they are not known to be right"));
  } else if (!expected.nonce) {
    verdict.add(skipped(id, "the verifier gave no nonce", policy.require_nonce));
  } else {
    verdict.add(compared(id, to_hex(*expected.nonce), to_hex(document.nonce), "the quote was made for another nonce"));
  }
  verdict.add(check_padding(data));
  return bound;
}

void judge_version3(const TinfoilDocument& document, const TeeFindings& tee, const Expected& expected,
                    const Context& context, Verdict& verdict) {
  bool bound = false;
  if (tee.report_data) {
    bound = check_binding(document, *tee.report_data, expected, context.policy, verdict);
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.nonce", "report_data.padding"},
             "the quote could not be read");
  }
  verdict.add(check_tls(document.tls_key_sha256, bound, expected));
  verdict.add(check_hpke(document.hpke_key, bound, expected));
  if (bound) add_keys(document.tls_key_sha256, document.hpke_key, "T3", verdict);
  check_tinfoil_parts(document, bound, verdict);
  check_gpus(document.devices, expected.nonce.value_or(document.nonce), tee.root, context, verdict);
  verdict.facts["gpu_binding"] = gpu_binding(
      document.devices.has_value(), "the quote binds the GPU evidence, and CPU and GPU share a nonce", context.policy);
}

}  // namespace

Verdict judge_tinfoil_document(std::string_view text, const Json& object, const Expected& expected,
                               const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<TinfoilDocument> document = evidence::parse_tinfoil_document(text, object);
  if (!document) {
    verdict.add(failed("report.form", document.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "Tinfoil, version " + std::to_string(document->version)));
  verdict.add(check_nonce(*document, expected, context.policy));
  const TeeFindings tee = judge_tee(document->evidence, document->snp ? "sev_snp" : "tdx", {}, context, verdict);
  if (document->version == 2) {
    judge_version2(*document, tee, expected, context, verdict);
  } else {
    judge_version3(*document, tee, expected, context, verdict);
  }
  return verdict;
}

}  // namespace cloister::verify
