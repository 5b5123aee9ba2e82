// cloister verify report | quote | gpu | snp | receipt | session | signature | proof FILE.
#pragma once

#include "apps/verify/subject.h"
#include "apps/verify/verify_options.h"
#include "verify/verdict.h"

namespace cloister::apps {

// Verifies one kind of file. An Error is unreadable input or a wrong option.
using FileJudge = Result<verify::Verdict> (*)(const VerifyOptions&);

Result<verify::Verdict> verify_report_file(const VerifyOptions& options);
Result<verify::Verdict> verify_quote_file(const VerifyOptions& options);
Result<verify::Verdict> verify_gpu_file(const VerifyOptions& options);
Result<verify::Verdict> verify_snp_file(const VerifyOptions& options);
Result<verify::Verdict> verify_receipt_file(const VerifyOptions& options);
Result<verify::Verdict> verify_session_file(const VerifyOptions& options);
// Verifies the bare answer of /v1/signature.
Result<verify::Verdict> verify_signature_file(const VerifyOptions& options);
// Verifies a proof file (docs/spec/proof-file.md), whose time and nonce are its own statement.
Result<verify::Verdict> verify_proof_file(const VerifyOptions& options);

// What all of these do once the subject is loaded, by the kind that it names.
Result<verify::Verdict> judge_kind(Subject& subject, const VerifyOptions& options);
// Verifies a live node.
Result<verify::Verdict> verify_host(const VerifyOptions& options);

}  // namespace cloister::apps
