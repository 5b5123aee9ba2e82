// Recognises the form of a file by its marks, so that a verifier can say what it was given instead of the expected
// one. It verifies nothing: a file of the right form may be broken or forged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::verify {

enum class FileForm {
  kArchive,
  kSavedEvidence,
  kProof,
  kCollateral,
  kReceipt,
  kSession,
  kKeyset,
  kSignature,
  kReport,
  kGpuEvidence,
  kQuote,
  kSnpReport,
  kInstances,
  kEventLog,
  kRequest,
};

// All forms whose marks the text has; empty for a text without any marks.
std::vector<FileForm> forms_of(std::string_view text);
bool has_form(std::string_view text, FileForm form);

// The form that `cloister verify KIND` reads, or that the option --KIND gives. Other names are a bug.
FileForm form_of_kind(std::string_view kind);

// An Error that begins with `name`, when the text has the marks of other forms and not of a wanted one.
Result<void> check_form(const std::string& name, std::string_view text, const std::vector<FileForm>& wanted);

// The text after the name of a file that is no `wanted`: "is a proof file: cloister verify proof"; empty for an unknown form.
std::string describe_form(std::string_view text);

}  // namespace cloister::verify
