// The names of the events that a node measures at run time, in the TEE's event log (docs/spec/policy.md). The payload is 32 bytes.
#pragma once

namespace cloister::evidence {

// The SHA-256 of the canonical form of the document: the model that the node serves, and the configuration that it follows.
inline constexpr char kModelEvent[] = "cloister-model";
inline constexpr char kPolicyEvent[] = "cloister-policy";
// The SHA-256 of the file of a GPU library, before the node loads it.
inline constexpr char kGpuLibraryEvent[] = "cloister-gpu-library";

}  // namespace cloister::evidence
