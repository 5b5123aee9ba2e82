// The policy document: the configuration in force, as far as it matters for trust (docs/spec/policy.md). Its digest is
// in RTMR3, in the native report's statement and in each epoch. It holds ASCII texts, whole numbers, booleans and
// nulls; no secret, and of files at most their digest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "identity/identity.h"
#include "tee/tee.h"

namespace cloister::identity {

struct PolicyFacts {
  std::string version;
  std::optional<ByteArray<32>> executable;  // SHA-256 of the running program

  std::string listen_address;
  std::uint16_t listen_port = 0;  // 0: any free one
  // "self-signed", "tee-key": a key that was made in the TEE; "certificate": a key that the operator brought.
  std::string tls = "none";
  bool token_required = false;
  std::vector<std::string> cors_origins;  // empty: pages of this machine

  std::string engine;         // "llama", "upstream", "echo"
  bool serves_itself = true;  // false: the server that answers is not in this TEE
  // Where they are, without their addresses: "unix:", "http://localhost", "http://private", "http://NAME:PORT". The document is public.
  std::vector<std::string> upstreams;
  bool upstream_token = false;
  std::string cache_salt;            // of upstreams: "auto", "on", "off"
  bool shared_prompt_cache = false;  // prompts of one credential may be reused for another
  bool known_answers = false;        // models are tested before they answer (docs/spec/known-answers.md)

  std::string tee;  // as the TEE calls itself
  std::string gpu_evidence;
  bool gpu_gate = false;  // prompts only while every GPU is attested
  int gpu_check_seconds = 0;
  std::optional<ByteArray<32>> gpu_policy;  // SHA-256 of the file that the gate's policy was read from
  std::optional<ByteArray<32>>
      gpu_library;             // SHA-256 of the driver library's file, where the operator named one and it was loaded
  bool gpu_manifests = false;  // measurements are compared with manifests

  std::uint64_t body_bytes = 0;
  double reports_per_client_minute = 0;  // reports with a nonce; 0: any number
  double reports_at_once = 0;
  double reports_local_minute = 0;  // reports for all callers of this machine without a token; 0: any number
  int upstream_connect_s = 0, upstream_first_byte_s = 0, upstream_idle_s = 0, grace_s = 0;

  std::string log_level, log_format;
  bool signing = true;
  int keyset_days = 0;
  std::size_t replicas = 0;  // number of replicas
  // What is said about receipts and how long they are kept; null: nothing.
  Json receipts = nullptr;
};

// The document, including the digest of the configuration that the node's keys belong to (evidence/key_configuration.h).
Json policy_document(const PolicyFacts& facts);

// Puts the policy in force: first its digest in RTMR3 (identity/measured_event.h), then the epoch. After an error the former
// policy stays in force. kUsage when the keys of the identity belong to another configuration. `tee` may be null. Blocking.
Result<void> enter_policy(const Json& policy, tee::Tee* tee, Identity& identity);

}  // namespace cloister::identity
