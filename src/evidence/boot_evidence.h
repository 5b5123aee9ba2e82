// What a report says about how its VM booted, next to the quote: event logs, and the texts that they are compared with.
// Nothing here is true until it was compared with a verified quote.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

// A measured value as the guest's `info` repeats it.
struct BootClaim {
  std::string where;  // "info.tcb_info.rtmr0", for messages
  std::string name;   // "mrtd", "rtmr0" to "rtmr3", "compose_hash", "app_id", "instance_id", "key_provider_info"
  std::string value;
};

// One key that a KMS derived for the application, with the signatures that lead from it to the KMS root (ACI `aci/1`).
struct KeyCustody {
  std::string role;                          // "receipt"
  std::string path, purpose;                 // of dstack's GetKey
  std::string algo;                          // "ed25519", "secp256k1", "x25519"
  std::string public_key;                    // hex, the key of the role
  std::string kms_public_key;                // hex, secp256k1: the key that the chain is about
  std::vector<std::string> signature_chain;  // hex: signed by the application's key, by the KMS root
};

struct BootEvidence {
  std::optional<std::string> event_log;    // JSON text: an array, or a string that holds one
  std::optional<std::string> app_compose;  // byte for byte
  std::optional<std::string> vm_config;    // JSON text
  std::optional<Bytes> ccel;               // data of the ACPI table CCEL
  std::optional<std::string> gpu_info;     // exact text of /GpuInfo
  std::vector<BootClaim> claims;
  std::optional<std::vector<KeyCustody>> key_custody;
};

// Reads them from the object that holds them: a legacy report or the `evidence` of an ACI report. It reads the members
// `event_log`, `info` (and its `tcb_info`), `app_compose`, `vm_config`, `ccel` (base64), `gpu_info` and `key_custody`;
// where one text may stand in several places, the outermost counts. Errors are kBadReport and name the member.
Result<BootEvidence> read_boot_evidence(const Json& object);

}  // namespace cloister::evidence
