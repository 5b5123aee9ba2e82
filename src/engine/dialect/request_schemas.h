// Finds the JSON schemas of a request where each dialect keeps them, and applies the rules of
// engine/dialect/schema_rules.h to them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/engine.h"

namespace cloister::engine {

struct RequestSchemas {
  bool constrains_reply = false;          // the reply's text has to follow a schema, or to be a JSON object
  std::vector<std::string> strict_tools;  // names of the functions whose arguments have to follow their schema
};

// `conversation` has "response_format" as chat completions have it, whatever the dialect, and "tools" as the dialect
// has them. The schemas in it are rewritten to what the grammar follows. The format of a reply is strict unless it says
// "strict": false; a function is strict when it says "strict": true. Errors: SchemaRules::apply(); a format that cannot
// be combined with a call that is demanded.
Result<RequestSchemas> apply_schema_rules(Route route, Json& conversation);

}  // namespace cloister::engine
