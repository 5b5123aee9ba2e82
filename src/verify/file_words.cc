#include "verify/file_words.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

constexpr std::array<std::string_view, 3> kNonceChecks = {"report.nonce", "report_data.nonce", "nvidia.payload.nonce"};
constexpr std::string_view kGpuNonce = "nvidia.gpu.N.nonce";
constexpr std::string_view kTls = "report_data.tls";

bool is_nonce_check(const std::string& name, bool gpu_alone) {
  return std::ranges::find(kNonceChecks, name) != kNonceChecks.end() || (gpu_alone && name == kGpuNonce);
}

void discount(Check& check, std::string detail, bool required) {
  check.state = State::kSkipped;
  check.required = required;
  check.detail = std::move(detail);
}

}  // namespace

void discount_file_words(const FileWords& words, const Policy& policy, Verdict& verdict) {
  // Next to a quote the nonce of a GPU shows that both belong together; alone it shows nothing but freshness.
  const bool gpu_alone = std::ranges::none_of(
      verdict.checks, [](const Check& check) { return check_name(check.id).starts_with("report_data."); });
  for (Check& check : verdict.checks) {
    if (check.state != State::kPass) continue;
    const std::string name = check_name(check.id);
    if (words.nonce && is_nonce_check(name, gpu_alone)) {
      discount(
          check,
          "this nonce comes from the file itself: the evidence may be old; give the nonce that you made with --nonce",
          policy.require_nonce);
    } else if (words.tls_spki_sha256 && name == kTls) {
      discount(check, "the file itself says that this key was seen", false);
    } else if (words.beginning && name == "receipt.prefix") {
      discount(check,
               "the file holds a beginning of the reply only, " + check.actual +
                   ": if you ask only about that beginning, give --beginning",
               true);
    }
  }
  Json says = {{"saved_at", to_rfc3339(words.saved_at)}};
  if (words.nonce) says["nonce"] = to_hex(*words.nonce);
  if (words.tls_spki_sha256) says["tls_spki_sha256"] = to_hex(*words.tls_spki_sha256);
  verdict.facts["file_says"] = std::move(says);
}

void check_file_time(UnixSeconds judged_at, bool named, Verdict& verdict) {
  const std::string id = "file.time", time = to_rfc3339(judged_at);
  if (!named) {
    verdict.add(skipped(
        id, "the time of this verdict comes from the file itself, " + time + "; give a time that you trust with --at"));
    return;
  }
  Check check = passed(id, time);
  check.required = false;  // this check shows no evidence
  verdict.add(std::move(check));
}

}  // namespace cloister::verify
