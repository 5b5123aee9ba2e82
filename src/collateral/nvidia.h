// Fetches from NVIDIA: reference manifests, revocation answers and tokens of the Remote Attestation Service.
// verify/nvidia verifies the answers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "collateral/downloader.h"
#include "collateral/endpoints.h"
#include "evidence/gpu_evidence.h"

namespace cloister::collateral {

struct OcspQuery {
  Bytes request;      // DER, as crypto/ocsp makes it
  Bytes nonce;        // inside it
  std::string about;  // the certificate, for people: "GH100 A01 GSP BROM"
};

inline constexpr std::string_view kSwitchArch = "LS10";

struct NrasQuery {
  std::string nonce_hex;  // the nonce that the devices answered
  std::string arch;       // "HOPPER"
  std::vector<evidence::GpuEvidence> devices;
  bool versioned = false;  // a device's opaque data has the versioned form, which only the service's API 4 reads
};

class NvidiaService {
 public:
  // All arguments must outlive this object. `service_key` may be empty: the services then answer at a lower rate.
  NvidiaService(Downloader& downloader, const Endpoints& endpoints, std::string service_key, const Clock& clock)
      : downloader_(downloader), endpoints_(endpoints), service_key_(std::move(service_key)), clock_(clock) {}

  // The manifest with this id, XML text or a CoRIM. Any thread, like all functions below.
  Result<std::string> get_rim(const std::string& id) const;
  // The response in DER. Never cached: it answers a nonce.
  Result<Bytes> get_ocsp(const OcspQuery& query) const;
  // A detached EAT about GPUs, or about switches, as served. The request does not ask to tolerate certificates on hold.
  Result<std::string> get_nras_token(const NrasQuery& query) const;
  // The keys that sign such tokens. They rotate within days and are trusted because of the channel, so they are never
  // cached.
  Result<std::string> get_nras_jwks() const;
  // True when they come from NVIDIA itself. A mirror's statement about a key proves nothing.
  bool nras_is_nvidias() const { return endpoints_.nvidia_nras == Endpoints{}.nvidia_nras; }

 private:
  Downloader& downloader_;
  const Endpoints& endpoints_;
  const std::string service_key_;
  const Clock& clock_;
};

// Returns the document in an answer of the RIM service, XML or a signed CoRIM. Its id must be `id`, and its digest that
// of the document. At most 2 MiB.
Result<std::string> read_rim_answer(std::string_view json_text, std::string_view id);

// The request body for `query`.
std::string nras_request(const NrasQuery& query);

}  // namespace cloister::collateral
