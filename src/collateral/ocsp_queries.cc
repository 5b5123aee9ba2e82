#include "collateral/ocsp_queries.h"

#include <set>

#include "crypto/hash.h"
#include "crypto/ocsp.h"
#include "crypto/signed_xml.h"
#include "crypto/x509.h"
#include "verify/nvidia/device_identity.h"
#include "verify/roots.h"

namespace cloister::collateral {
namespace {

using crypto::Certificate;

constexpr std::size_t kNonceSize = 32;
// The most queries that an honest list of devices needs; a hostile list costs the service no more than this.
constexpr std::size_t kMostQueries = 256;

void add_queries(const std::vector<Certificate>& chain, std::size_t first, std::set<Bytes>& known,
                 std::vector<OcspQuery>& out) {
  for (std::size_t i = first; i + 1 < chain.size() && out.size() < kMostQueries; ++i) {
    if (!known.insert(chain[i].der()).second) continue;
    Bytes nonce = crypto::random_bytes(kNonceSize);
    auto request = crypto::make_ocsp_request(chain[i], chain[i + 1], nonce);
    if (request) out.push_back({*std::move(request), std::move(nonce), chain[i].subject_common_name()});
  }
}

}  // namespace

std::vector<OcspQuery> ocsp_queries(const Evidence& evidence, const std::map<std::string, std::string>& rims) {
  std::set<Bytes> known;
  std::vector<OcspQuery> out;
  for (const evidence::GpuEvidence& device : evidence.devices) {
    const auto chain = crypto::parse_pem_chain(as_bytes(device.certificate_chain_pem));
    if (!chain || verify::claimed_root(verify::RootUse::kGpu, *chain) != verify::RootKind::kVendor) continue;
    add_queries(*chain, verify::kFirstRevocable, known, out);
  }
  for (const auto& [id, document] : rims) {
    const auto manifest = crypto::SignedXml::parse(document);
    if (!manifest) continue;
    const std::vector<Certificate>& chain = manifest->certificates();
    if (verify::claimed_root(verify::RootUse::kRim, chain) == verify::RootKind::kVendor) {
      add_queries(chain, 0, known, out);
    }
  }
  return out;
}

}  // namespace cloister::collateral
