// Concise reference integrity manifests (CoRIM, draft-ietf-rats-corim-11) as NVIDIA publishes them for newer parts:
// what a signed document holds, read strictly. No judgement here: verify/nvidia does that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "codec/cbor.h"

namespace cloister::codec {

// Values that a part of a device must have. Environments are compared as a whole, in their one spelling.
struct CorimReference {
  CborValue environment;
  std::vector<CborValue> measurements;  // measurement-map each: {0: key, 1: values}
};

struct Corim {
  std::string id;
  std::optional<UnixSeconds> not_before, not_after;
  std::vector<std::string> tag_ids;
  std::vector<CorimReference> references;
  std::size_t dependencies = 0;  // which environments vouch for which
};

// The payload of a signed CoRIM: tag 501 around a map. kUnsupported for parts of the draft that would change what the
// manifest says and are not known here (dependent manifests, other kinds of tags and triples, other kinds of values),
// kBadRim for all else.
Result<Corim> read_corim(ByteView payload);

}  // namespace cloister::codec
