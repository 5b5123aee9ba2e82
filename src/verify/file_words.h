// What a file that holds evidence says about its own circumstances: when it was saved, which nonce was asked with, which TLS
// key was seen. Nobody signs these statements. They help to open the evidence and are shown, but never replace what the person
// who asks has to say: a file that chooses its own nonce is not fresh, and one that chooses its own time is not valid today.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct FileWords {
  UnixSeconds saved_at = 0;
  // Set where the verdict was made with the file's statement, because the person who asks gave none.
  std::optional<ByteArray<32>> nonce;
  std::optional<ByteArray<32>> tls_spki_sha256;
  // The file itself turned the question about a reply into one about the reply's beginning, and nobody asked for that.
  bool beginning = false;
};

// Turns each pass that rests on the file's nonce into one that is skipped, and required where the policy requires a nonce
// (report.nonce, report_data.nonce, nvidia.payload.nonce; in a verdict about GPUs alone nvidia.gpu.N.nonce); each pass of
// report_data.tls into one that is skipped; with `beginning` each pass of receipt.prefix into one that is skipped and required. A failure stays: a file may contradict itself. Adds the fact `file_says`.
void discount_file_words(const FileWords& words, const Policy& policy, Verdict& verdict);

// file.time: passed and not required where the person who asks named the time of the verdict, else skipped and required.
void check_file_time(UnixSeconds judged_at, bool named, Verdict& verdict);

}  // namespace cloister::verify
