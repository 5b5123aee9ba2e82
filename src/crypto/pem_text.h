// The text around PEM blocks (RFC 7468 section 2): tools write the subject of each certificate before it.
// parse_pem_chain() reads chains inside evidence, without such text; files and bundles that people keep may have it.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::crypto {

// The certificates of `pem` without the lines around them, in the form for parse_pem_chain(); at most 1 MiB. A line
// outside a certificate is dropped when it has no control character and does not begin with "-----". Errors:
// kBadCertificate for every other line, and for a certificate without an end.
Result<std::string> without_explanatory_text(ByteView pem);

}  // namespace cloister::crypto
