// Checks which KMS derived the application's keys: chains of recoverable secp256k1 signatures lead from the KMS root to
// each key (ACI `aci/1`, key custody).
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/boot_evidence.h"

namespace cloister::verify {

struct KmsChain {
  ByteArray<33> app_key{};   // signed the derived key; compressed
  ByteArray<33> root_key{};  // signed the application's key for this app id
};

// Returns the keys that signed this chain. Messages: "<purpose>:<hex of the derived key>", and "dstack-kms-issued:" ||
// app id || application key. Any pair of signatures recovers to some root, so the chain proves something only when that
// root is a pinned one. An error also when the role's own key is a secp256k1 (or Ed25519) key and not the one that the
// chain is about.
Result<KmsChain> recover_kms_chain(const evidence::KeyCustody& key, ByteView app_id);

// Returns the one root of all chains; an error when chains differ in root or application key, when two roles share a
// derivation path, or when there is no chain.
Result<KmsChain> check_key_custody(const std::vector<evidence::KeyCustody>& keys, ByteView app_id);

}  // namespace cloister::verify
