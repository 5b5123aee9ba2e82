// Whether a document is what its key says: anybody can write a line of an export. Pure functions.
#pragma once

#include <optional>

#include "evidence/aci/keyset.h"
#include "store/receipt_store.h"

namespace cloister::store {

// The kind of a node's policy document, whose digest is its key.
inline constexpr std::string_view kPolicyKind = "policy";
// How the kinds of reports begin: their key is the digest of the keyset that they vouch for.
inline constexpr std::string_view kReportKinds = "report.";

// Returns the keyset that the document is or holds; absent for a kind without one. Errors (kBadReceipt): a keyset or policy has another digest
// than its key, or a report does not hold the keyset with this digest. Of other kinds nothing is known. Whether a report is genuine is for its
// verifier to say.
Result<std::optional<evidence::Keyset>> check_named(const Document& document);

}  // namespace cloister::store
