// Files that hold everything: archives (docs/spec/archive.md) and saved evidence (docs/spec/bundle.md). Whoever made such a
// file chose its time, its nonce and everything in it, so its own statements are shown and never count (verify/file_words.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "verify/subject/subject.h"

namespace cloister::verify {

// What the person who asks names, to replace what the file says.
struct OwnWords {
  std::optional<ByteArray<32>> nonce;
  bool response = false;  // the exact body of the reply: then a proof that the file's is a beginning no longer applies
};

// What the file holds as a subject, with its collateral in `saved.collateral` and its time in `words->saved_at`. Values by which a
// person names what is asked about (id, model, address, report data) are taken out: if they came from the file, the file itself would
// name it. `shown` is what messages call the file. Errors say which form the file has instead.
Result<Subject> open_archive(const std::string& shown, std::string_view text, const OwnWords& own);
Result<Subject> open_bundle(const std::string& shown, std::string_view text, const OwnWords& own);

// The time that such a file, or a proof, names for its own verdict; absent for other evidence, which has none.
std::optional<UnixSeconds> time_in_file(const Subject& subject);

// The subject of a verdict about such a file, for people: "archive", "saved evidence of a report".
void name_held_file(const Subject& subject, std::string_view form, Verdict& verdict);

}  // namespace cloister::verify
