// Makes the parts of a host from its options: engine, TEE, GPU evidence, TLS identity, tokens.
#pragma once

#include <memory>

#include "apps/serve_options.h"
#include "crypto/x509.h"
#include "engine/engine.h"
#include "gpu/gpu_evidence_source.h"
#include "http/server.h"
#include "serve/auth.h"
#include "serve/identity.h"
#include "serve/keyring.h"
#include "tee/tee.h"

namespace cloister::apps {

// Its models are measured into `tee`, which outlives it and may be null.
Result<std::unique_ptr<engine::Engine>> make_engine(const ServeOptions& options, tee::Tee* tee, serve::Identity& identity);

struct Platform {
  std::unique_ptr<tee::Tee> tee;                      // null: none
  std::unique_ptr<gpu::GpuEvidenceSource> gpu;        // null: none
};
// Logs which TEE was chosen and why.
Result<Platform> make_platform(const ServeOptions& options);

struct Tls {
  std::shared_ptr<const http::TlsIdentity> identity;  // null: plain HTTP
  std::optional<ByteArray<32>> spki_sha256;
};
// The key of a self-signed certificate is the keyring's.
Result<Tls> make_tls(const ServeOptions& options, const ListenAddress& listen, const serve::Keyring& keyring);

Result<serve::BearerAuth> make_auth(const ServeOptions& options, const ListenAddress& listen);

}  // namespace cloister::apps
