// The rules for JSON schemas in a request: a schema costs a bounded amount of work, and, where a client demands that
// the schema is followed ("strict"), the engine's grammar follows every keyword of it.
// docs/spec/structured-output.md.
#pragma once

#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "engine/dialect/schema_pass.h"

namespace cloister::engine {

// The schemas of one request, whose costs add up. Not thread-safe.
class SchemaRules {
 public:
  // Rewrites `schema` so that the library's grammar admits only texts that `schema` admits: patterns, formats and
  // bounds are expressed in keywords that the library follows. `where` names the schema in the request; each Error
  // names a keyword, its path and the reason. Always an error: what costs too much, and bounds that contradict each
  // other (the library does not end on those). With `strict` also every keyword that would not be enforced; without it
  // such a keyword stays, and a pattern that the library would read differently is renamed to x-pattern.
  Result<void> apply(Json& schema, const std::string& where, bool strict);

 private:
  struct Reference {
    std::string text;
    Json target;
  };
  SchemaPass::Costs costs_;
  std::map<std::string, Reference> references_;  // by the library's name of their rule, which all schemas share
};

}  // namespace cloister::engine
