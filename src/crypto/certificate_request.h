// Requests for a certificate (PKCS #10, RFC 2986): what an authority of the web needs in order to certify a key that
// stays where it is. Pure function; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "crypto/ecdsa.h"

namespace cloister::crypto {

// PEM ("CERTIFICATE REQUEST") for the public half of `key`, signed by it, with these DNS names and IP addresses as
// subjectAltName and no subject: authorities read the names from the extension. kUsage for no name, and for a name that is
// neither a host name (letters, digits, '-', '.', '_', a leading "*.") of at most 253 bytes nor an IP address.
Result<std::string> make_certificate_request(const EcKey& key, const std::vector<std::string>& names);

}  // namespace cloister::crypto
