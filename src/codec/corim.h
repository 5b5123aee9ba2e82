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
#include "codec/comid.h"

namespace cloister::codec {

// Which environments vouch for another: it is as it should be when they are.
struct CorimDependency {
  CborValue environment;
  std::vector<CborValue> trustees;
};

struct Corim {
  std::string id;
  std::optional<UnixSeconds> not_before, not_after;
  std::vector<std::string> tag_ids;
  // Values that environments must have. Several of one environment are alternatives.
  std::vector<ComidTriple> references;
  std::vector<CorimDependency> dependencies;
};

// The payload of a signed CoRIM: tag 501 around a map. kUnsupported for parts of the draft that would change what the
// manifest says and are not known here (profiles, dependent manifests, other kinds of tags and triples, other kinds of
// values), kBadRim for all else.
Result<Corim> read_corim(ByteView payload);

}  // namespace cloister::codec
