// Compares the claims of a device with the reference values of all its concise manifests together: the dependencies
// that the manifests state decide which values are about this device (docs/spec/nvidia-corim.md).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "codec/corim.h"
#include "verify/nvidia/corim_evidence.h"

namespace cloister::verify {

struct CorimSource {
  std::string id;                          // the name by which the manifest was looked up
  const codec::Corim* manifest = nullptr;  // null: there is no manifest, or it could not be read
};

struct CorimMismatch {
  std::string environment;  // for people
  std::string why;
};

// The result for the references of one manifest.
struct CorimSide {
  std::size_t compared = 0;  // number of environments that are about this device
  std::vector<CorimMismatch> mismatches;
  std::string unsupported;  // why something could not be compared; empty when everything could
};

struct CorimAppraisal {
  std::string purpose;               // "CC MPT": the mode that the device is in; empty where no manifest has modes
  std::vector<CorimSide> sides;      // in the order of the sources
  std::vector<std::string> in_both;  // environments for which more than one manifest holds references
};

// Every environment in scope must have the values of one of its references, and every certificate's firmware must be in
// scope. Pure.
CorimAppraisal appraise_corims(const DeviceClaims& claims, const std::vector<CorimSource>& sources);

// True for an environment of NVIDIA's that stands for the whole device in one mode.
bool is_root_environment(const codec::CborValue& environment);

}  // namespace cloister::verify
