// Environments, measurements and their values as both concise manifests (draft-ietf-rats-corim-11) and concise evidence
// (TCG, DICE Concise Evidence Binding for SPDM 1.1) write them. This folder only parses; verify/nvidia verifies them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/cbor.h"

namespace cloister::codec {

// Members of environment-map and class-map.
inline constexpr std::uint64_t kEnvironmentClass = 0;
inline constexpr std::uint64_t kClassId = 0, kClassVendor = 1, kClassModel = 2, kClassLayer = 3, kClassIndex = 4;
// Tags of class ids.
inline constexpr std::uint64_t kOidTag = 111, kBytesTag = 560;

struct ComidSvn {
  std::uint64_t number = 0;
  bool at_least = false;  // a minimum (tag 553), else the exact number
};

struct ComidDigest {
  std::string algorithm;  // "sha-256", "sha-384", "sha-512"; else the registry's number in decimal, or the given name
  Bytes value;
};

struct ComidRaw {
  Bytes value;
  Bytes mask;  // of the same size; only the bits set in it are compared; empty: all bits are
};

struct ComidRange {
  std::optional<std::int64_t> least, most;  // both included; absent: unbounded
};

// measurement-values-map. A member that is absent was not stated.
struct ComidValues {
  std::optional<std::string> version;
  std::optional<std::uint64_t> version_scheme;
  std::optional<ComidSvn> svn;
  std::vector<ComidDigest> digests;  // digests of one thing; no algorithm twice
  std::map<std::uint64_t, bool> flags;
  std::optional<ComidRaw> raw;
  std::optional<std::string> name;
  std::optional<ComidRange> range;
  std::vector<std::uint8_t> spdm_blocks;  // in evidence only: the SPDM measurements that hold the values; none twice
};

struct ComidMeasurement {
  std::optional<CborValue> key;
  ComidValues values;
};

// What is stated about one environment: [environment, [measurement, ...]].
struct ComidTriple {
  CborValue environment;  // compared by its members
  std::vector<ComidMeasurement> measurements;
};

enum class ComidUse { kReference, kEvidence };

// kUnsupported for unknown parts that would change the meaning, kBadRim for all other errors.
Result<ComidTriple> read_comid_triple(const CborValue& value, ComidUse use);

// Checks an environment-map with a class of known members. Errors as in read_comid_triple().
Result<void> check_comid_environment(const CborValue& value);

}  // namespace cloister::codec
