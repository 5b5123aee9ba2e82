// Tee: the confidential VM that this process runs in, as a source of evidence. src/verify verifies the evidence.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "evidence/boot_evidence.h"
#include "evidence/event_log.h"
#include "evidence/report_data.h"

namespace cloister::tee {

// Facts in the form of dstack's `/Info`. They are unauthenticated until compared with a verified quote.
struct TeeInfo {
  Json info;              // {"app_id","instance_id","app_cert","tcb_info":{...},"app_name","key_provider_info",...}
  std::string vm_config;  // JSON text
  // The firmware's own log of the boot, which is the data of the ACPI table CCEL, where the guest can read it.
  std::optional<Bytes> ccel = std::nullopt;
};

class Tee {
 public:
  virtual ~Tee() = default;
  // The name on the wire, in logs and in verdicts: "tdx", "dstack", "sev_snp", "insecure_simulator". The last is also
  // used where evidence that comes over a real interface ends in the simulator's root (checked_quote.h).
  virtual std::string_view type() const = 0;
  // A raw quote with these 64 bytes of report data (for an SEV-SNP guest: its attestation report). The call may take
  // seconds on hardware: never call it from an event loop or the engine thread. Any thread.
  virtual Result<Bytes> quote(const evidence::ReportData& report_data) = 0;
  virtual Result<std::vector<evidence::Event>> event_log() = 0;
  virtual Result<TeeInfo> info() = 0;
  // 32 bytes that only this application in this TEE gets, the same for the same label after a restart. kUnsupported
  // where nothing in the TEE can seal: the caller then makes a key that ends with the process, and says so.
  virtual Result<SecretBytes> derive_key(std::string_view label) = 0;
  // The chain of custody of the key of this label, up to a KMS, for the purpose that the caller names (the key is the same
  // for every purpose). The caller fills in `role`, `algo` and `public_key`. kUnsupported where no KMS derived the key.
  virtual Result<evidence::KeyCustody> key_custody(std::string_view label, std::string_view purpose);
  // Measures a named event into RTMR3 (dstack event, version 1). From then on the event is in event_log() and in every
  // quote, and nothing removes it before the machine restarts. The name is plain (evidence::is_plain_event_name), the
  // payload at most 64 KiB. After kUnsupported nothing has changed; after another error it is not known whether the
  // register was extended. Any thread may call it; it is as slow as quote().
  virtual Result<void> extend_event(std::string_view name, ByteView payload);
};

}  // namespace cloister::tee
