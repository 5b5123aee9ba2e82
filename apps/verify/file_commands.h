// cloister verify report | quote | gpu | snp | receipt | session | signature FILE.
#pragma once

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
// A proof file, or the bare answer of /v1/signature.
Result<verify::Verdict> verify_signature_file(const VerifyOptions& options);
// A live node.
Result<verify::Verdict> verify_host(const VerifyOptions& options);

}  // namespace cloister::apps
