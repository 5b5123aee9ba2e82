// Certificate chains in headers of provisioning services. An accepted header decodes to the PEM text of two
// certificates.
#include "collateral/intel.h"
#include "crypto/x509.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto chain = collateral::decode_issuer_chain(as_text(input));
  if (!chain) return;
  const auto certificates = crypto::parse_pem_chain(as_bytes(*chain));
  FUZZ_CHECK(certificates.has_value() && certificates->size() == 2);
}
