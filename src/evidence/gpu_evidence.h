// GPU evidence as it is served: one entry for each device, and the `nvidia_payload` text of NVIDIA's attestation service.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/nvidia_payload.h"

namespace cloister::evidence {

// {"nonce","evidence_list":[{"certificate": base64 of the PEM,"evidence": base64 of the report,"arch"}],"arch"},
// without the hints; the bare array described below when the devices are not all of one architecture.
std::string write_nvidia_payload(const NvidiaPayload& payload);
// Accepts that form, and the bare array of entries (each with `nonce` and `arch`) and CMW that NVIDIA's SDK writes. At
// most 64 devices. `nonce` and `arch` of an entry must agree with the list's; in the bare array each entry has its own
// `arch` and the list's is the first one's. `driver_version` and `vbios_version` must be strings; other members are
// ignored. Any other shape is an error. The reports are not parsed.
Result<NvidiaPayload> parse_nvidia_payload(std::string_view json_text);

// The older form of evidence, two files for one device: the report as hex text (0x and white space allowed) or as raw
// bytes, the chain as PEM or as base64 of PEM. The architecture is left empty, since no file names it.
Result<GpuEvidence> parse_gpu_files(ByteView report_file, ByteView chain_file);

}  // namespace cloister::evidence
