// Concise reference integrity manifests (CoRIM, draft-ietf-rats-corim-11) as NVIDIA publishes them for newer parts: the
// content of a signed document, parsed strictly. This folder only parses; verify/nvidia verifies the content.
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

// Which environments vouch for another one: that one is as expected when they are.
struct CorimDependency {
  CborValue environment;
  std::vector<CborValue> trustees;
};

struct Corim {
  std::string id;
  std::optional<UnixSeconds> not_before, not_after;
  std::vector<std::string> tag_ids;
  // Values that environments must have. Several triples of one environment are alternatives.
  std::vector<ComidTriple> references;
  std::vector<CorimDependency> dependencies;
};

// Reads the payload of a signed CoRIM: tag 501 around a map. kUnsupported for unknown parts of the draft that would
// change what the manifest says (profiles, dependent manifests, other kinds of tags and triples, other kinds of
// values), kBadRim for all other errors.
Result<Corim> read_corim(ByteView payload);

}  // namespace cloister::codec
