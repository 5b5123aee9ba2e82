// What each kind of evidence, and each thing that is given beside it, may look like and how large it may be. An input of another form is
// refused before it is judged: a file that holds everything must never take the place of what the person who asks named.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::verify {

// The size limit for evidence of this kind ("report", "quote", "archive" ...), or for what is given beside it under this name ("request",
// "keyset" ...): what is larger is refused before it is parsed, since nothing that is accepted needs more.
std::size_t most_bytes_of(std::string_view name);

// Refuses evidence that has the marks of another kind, and a receipt or a session without a single member of one. `shown` is what messages
// call it: a path, or a name.
Result<void> check_evidence_form(const std::string& kind, const std::string& shown, std::string_view text);

// Refuses what is given beside evidence under this name, and is of another form than that.
Result<void> check_beside_form(const std::string& name, const std::string& shown, std::string_view text);

// Refuses a value of zeros alone where the person who asks made the value, or saw it: a nonce, report data, the digest of a key. It is a
// buffer that nobody filled, and others know it as well.
Result<void> check_filled(ByteView value);

// JSON that cannot be parsed is no evidence at all; faults of evidence lead to a verdict.
Result<void> check_json(const std::string& shown, std::string_view text);

// The same Error, with `shown` before the message.
Error named_error(const std::string& shown, const Error& error);

}  // namespace cloister::verify
