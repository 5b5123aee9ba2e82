// cloister verify report | quote | gpu | snp | receipt | session | signature | proof FILE.
#pragma once

#include "apps/verify/subject.h"
#include "apps/verify/verify_options.h"
#include "verify/verdict.h"

namespace cloister::apps {

// The judge of one kind of file. An Error is unreadable input or a wrong option.
using FileJudge = Result<verify::Verdict> (*)(const VerifyOptions&);

Result<verify::Verdict> verify_report_file(const VerifyOptions& options);
Result<verify::Verdict> verify_quote_file(const VerifyOptions& options);
Result<verify::Verdict> verify_gpu_file(const VerifyOptions& options);
Result<verify::Verdict> verify_snp_file(const VerifyOptions& options);
Result<verify::Verdict> verify_receipt_file(const VerifyOptions& options);
Result<verify::Verdict> verify_session_file(const VerifyOptions& options);
// The bare answer of /v1/signature.
Result<verify::Verdict> verify_signature_file(const VerifyOptions& options);
// A proof file (docs/spec/proof-file.md): its time and its nonce are its own word.
Result<verify::Verdict> verify_proof_file(const VerifyOptions& options);

// What all of these do once the subject is loaded, by the kind that it names.
Result<verify::Verdict> judge_kind(Subject& subject, const VerifyOptions& options);
// A live node.
Result<verify::Verdict> verify_host(const VerifyOptions& options);

}  // namespace cloister::apps
