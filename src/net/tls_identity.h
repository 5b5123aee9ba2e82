// What a TLS server shows.
#pragma once

#include <string>

namespace cloister::net {

struct TlsIdentity {
  std::string certificate_chain_pem;  // the leaf first
  std::string private_key_pem;        // not encrypted
};

}  // namespace cloister::net
