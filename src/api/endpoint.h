// Endpoints: a path, a verb, who may call, and a handler. A program installs each of its endpoints once, at the start.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/owner.h"
#include "http/exchange.h"
#include "identity/identity.h"

namespace cloister::api {

enum class Access {
  kPublic,    // anybody: what a stranger needs in order to decide whether to trust this node
  kToken,     // a bearer token, when the node has a token file
  kOperator,  // the operator: what it shows concerns all tenants
};

struct Endpoint;

// One request on its way to a handler.
struct Call {
  std::shared_ptr<http::Exchange> exchange;
  const Endpoint* endpoint = nullptr;            // lives as long as the registry
  std::string path_argument;                     // the text in the place of {id}
  std::optional<Owner> caller;                   // absent: not known, which a public endpoint allows
  std::shared_ptr<const identity::Epoch> epoch;  // the epoch in force when the request was complete

  Owner owner() const { return caller.value_or(Owner{}); }
};

struct Endpoint {
  std::string method;  // "GET" also serves HEAD
  std::string path;    // may end in "/{id}", or in "/{path}", which holds slashes too
  std::string name;    // label of metrics and logs
  Access access = Access::kToken;
  bool anthropic_dialect = false;  // shape of error replies
  std::uint64_t body_limit_bytes = 0;
  bool takes_prompts = false;        // closed while the GPUs are not attested (reports/gpu_gate.h)
  bool receipted = false;            // its replies get a receipt; closed while none can be stored
  bool takes_files = false;          // a body may be multipart/form-data; otherwise a body is JSON
  std::function<void(Call)> handle;  // on the connection's event loop; must not block
};

class EndpointRegistry {
 public:
  void install(Endpoint endpoint) { endpoints_.push_back(std::move(endpoint)); }

  struct Match {
    const Endpoint* endpoint = nullptr;
    std::string_view path_argument;  // points into the path given to find()
    std::string allowed_methods;     // set when the path is known and the method is not; "" for unknown paths
  };
  Match find(std::string_view method, std::string_view path) const;

 private:
  std::vector<Endpoint> endpoints_;
};

}  // namespace cloister::api
