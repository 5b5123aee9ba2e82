// Tee: the confidential VM that this process runs in, as a collector of evidence. Judging it is verify's work.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"
#include "evidence/event_log.h"
#include "evidence/report_data.h"

namespace cloister::tee {

// Facts in dstack's Info form (attestation.md section 7.1). Unauthenticated until compared with a verified quote.
struct TeeInfo {
  Json info;         // {"app_id","instance_id","app_cert","tcb_info":{...},"app_name","key_provider_info",...}
  std::string vm_config;  // JSON text
};

class Tee {
 public:
  virtual ~Tee() = default;
  // On the wire, in logs and in verdicts: "tdx", "dstack", "insecure_simulator".
  virtual std::string_view type() const = 0;
  // A raw quote with these 64 bytes of report data. May take seconds on hardware: never call from an event loop or the
  // engine thread. Safe from any thread.
  virtual Result<Bytes> quote(const evidence::ReportData& report_data) = 0;
  virtual Result<std::vector<evidence::Event>> event_log() = 0;
  virtual Result<TeeInfo> info() = 0;
  // 32 bytes that only this application in this TEE gets; the same for the same label after a restart.
  virtual Result<SecretBytes> derive_key(std::string_view label) = 0;
};

}  // namespace cloister::tee
