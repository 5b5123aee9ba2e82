// What one verdict is about: evidence that the person who asks put together, or a file that holds everything and comes from somebody else
// (verify/subject/held_file.h). The command line and the library both fill a Subject and call judge(), so that both give one verdict.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "verify/context.h"
#include "verify/file_words.h"
#include "verify/subject/saved_evidence.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct Subject {
  SavedEvidence saved;
  // Set for a file that holds everything: what it says about its own circumstances.
  std::optional<FileWords> words;
  // Further statements of such a file that were not used, for people.
  Json unused_words = Json::object();
  bool time_named = true;  // the person who asks named the time
  bool beginning = false;  // the person who asks wants to know about a beginning of the reply
  // For a report: the host of the connection whose key is `saved.tls_spki_sha256`, and the model that will be asked for.
  std::optional<std::string> tls_host, asked_model;
  // For a report: the person who asks has no connection, and verifies a document. A file that holds everything is always one.
  bool no_connection = false;
};

// An Error is input that cannot be read, and nothing was judged. Its `param` is the name of what is at fault in `saved.beside`, and empty
// for the evidence itself.
Result<void> check_readable(const Subject& subject);

// Judges evidence of any kind, which check_readable() has accepted: at `context.time`, with all that stands beside it. What a file says
// of its own circumstances is discounted (verify/file_words.h). The facts hold `collateral` = `gathered`.
Result<Verdict> judge(const Subject& subject, const Context& context, Json gathered);

// The facts of a verdict for which nothing was fetched.
Json nothing_gathered();

// kUsage for the first of these names ("nonce", "id", "model", "request", "response", "address", "report-data", "model-manifest") that
// the person who asks gave and that evidence of this kind has nothing to compare with: it would be the answer to a question that was
// never asked. `mark` stands before the name in the message.
Result<void> check_comparable(const Subject& subject, const std::set<std::string>& given, std::string_view mark);

// The 64 bytes that evidence without a report around it must hold act like an entry of the policy. kUsage when the policy names others.
Result<void> expect_report_data(ByteView report_data, Policy& policy);

}  // namespace cloister::verify
