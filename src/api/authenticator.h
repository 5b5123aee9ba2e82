// Authenticator: says who makes a request. Whatever knows the callers implements it: a file of tokens answers at once, a
// database later.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/owner.h"
#include "http/message.h"

namespace cloister::api {

class Authenticator {
 public:
  // Takes the answer to one question. An authenticator uses one of the two functions, once, while authenticate() runs.
  // The answer is absent for a caller that is not known; it is an Owner of zeros where callers need no token.
  class Done {
   public:
    // To be called once, by any thread, also before authenticate() has returned. It may outlive the request, the
    // server and the node. A request whose answer does not come in time gets 503.
    using Later = std::function<void(std::optional<Owner> caller)>;

    virtual void now(std::optional<Owner> caller) = 0;
    virtual Later later() = 0;

   protected:
    ~Done() = default;
  };

  virtual ~Authenticator() = default;
  // Any thread; must not block. `head` and `done` are valid while it runs.
  virtual void authenticate(const http::RequestHead& head, Done& done) = 0;
  // Any thread. It moves, after the fact, whenever a caller that was known may no longer be known: the answer to a
  // question that was asked after version() holds as long as version() stays what it was.
  virtual std::uint64_t version() const = 0;
};

}  // namespace cloister::api
