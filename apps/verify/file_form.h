// What a file is, by its marks, so that a command can say which file it was given in the place of which. Judges nothing: a file of the
// right form may be broken or forged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::apps {

enum class FileForm {
  kArchive, kSavedEvidence, kProof, kCollateral, kReceipt, kSession, kKeyset, kSignature, kReport, kGpuEvidence, kQuote, kSnpReport,
  kInstances, kEventLog, kRequest,
};

// All whose marks the text has; empty for what has the marks of none.
std::vector<FileForm> forms_of(std::string_view text);
bool has_form(std::string_view text, FileForm form);

// The form that `cloister verify KIND` reads, or that the option --KIND gives. Other names are a bug.
FileForm form_of_kind(std::string_view kind);

// An Error that names the file and what it is, when it has the marks of other forms and not of a wanted one.
Result<void> check_form(const std::string& path, std::string_view text, const std::vector<FileForm>& wanted);

// What to say after the name of a file that is no `wanted`: "is a proof file: cloister verify proof"; empty for an unknown form.
std::string describe_form(std::string_view text);

// The path, or "standard input" for "-".
std::string shown_path(const std::string& path);
// The same Error, with the file's name before what is wrong with it.
Error about(const std::string& path, const Error& error);

}  // namespace cloister::apps
