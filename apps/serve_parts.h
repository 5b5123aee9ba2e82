// Makes the parts of a host from its options: engine, TEE, GPU evidence, TLS identity, tokens.
#pragma once

#include <memory>
#include <string>

#include "api/auth.h"
#include "api/web_guard.h"
#include "config/attested.h"
#include "config/listen_address.h"
#include "config/serve_options.h"
#include "crypto/x509.h"
#include "engine/engine.h"
#include "gpu/gpu_evidence_source.h"
#include "http/server.h"
#include "identity/identity.h"
#include "identity/keyring.h"
#include "net/tls_identity.h"
#include "tee/tee.h"

namespace cloister::apps {

// Its models are measured into `tee`, which outlives it and may be null.
Result<std::unique_ptr<engine::Engine>> make_engine(const config::ServeOptions& options, tee::Tee* tee,
                                                    identity::Identity& identity);

// The first line of the file, without white space around it.
Result<std::string> read_token(const std::string& path);

struct Platform {
  std::unique_ptr<tee::Tee> tee;                // null: none
  std::unique_ptr<gpu::GpuEvidenceSource> gpu;  // null: none
  std::optional<ByteArray<32>> gpu_library;     // SHA-256 of the file of --nvml-library, where it was loaded
};
// Logs which TEE was chosen and why. A GPU library that the operator named is measured before anything of it runs.
Result<Platform> make_platform(const config::ServeOptions& options);

struct Tls {
  std::shared_ptr<const net::TlsIdentity> identity;  // null: plain HTTP
  config::TlsKey key;          // kBorn where it is the keyring's, kGiven where the operator brought it
  std::string request_pem;     // for --tls tee-key: the request for a certificate of this key
  std::string no_certificate;  // for --tls tee-key: why a self-signed certificate replaces one from outside
};
// Reads the files that the options name and writes none.
Result<Tls> make_tls(const config::ServeOptions& options, const identity::Keyring& keyring);

Result<api::BearerAuth> make_auth(const config::ServeOptions& options, const identity::Keyring& keyring);
// The operator's tokens; absent when no file of them is named.
Result<std::optional<api::BearerAuth>> make_operators(const config::ServeOptions& options,
                                                      const identity::Keyring& keyring, api::BearerAuth& clients);
api::WebGuard::Options web_guard_options(const config::ServeOptions& options, const config::ListenAddress& listen);

// The application's id as the TEE's information names it; empty where it names none.
std::string app_id_of(tee::Tee* tee);
// "" while the engine loads.
std::string first_model_id(const engine::Engine& engine);

}  // namespace cloister::apps
