// The versioned attestation of dstack's guest agent (`/Attest`, docs/spec/foreign-reports.md): version 0 in SCALE, version
// 1 in MessagePack. The parser was tested with recorded attestations of both versions on TDX and of version 0 on SEV-SNP.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/boot_evidence.h"

namespace cloister::evidence {

struct DstackAttestation {
  int version = 0;
  bool snp = false;           // it says that the evidence is SEV-SNP; else TDX
  Bytes evidence;             // TDX quote or SEV-SNP report
  Bytes report_data;          // as stated next to the evidence: 64 bytes
  BootEvidence boot;          // the log, and the text of `config` as vm_config; on SEV-SNP neither proves anything
  bool stripped_log = false;  // it lacks entries of registers 0 to 2, which then replay to nothing
  std::string mr_config;      // SEV-SNP: the document whose hash is HOST_DATA
};

// Accepts at most 1 MiB. Errors: kBadReport for bytes that are no such attestation, kUnsupported for one of another
// version, or of a machine whose evidence this parser does not read (Nitro, a virtual TPM on Google's cloud).
Result<DstackAttestation> parse_dstack_attestation(ByteView bytes);

}  // namespace cloister::evidence
