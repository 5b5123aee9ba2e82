// Admission: what a handler decides about a request once the head is read, at once or later.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/message.h"

namespace cloister::http {

// What a handler remembers of a request that it has admitted; Exchange::admitted() gives it back. Each handler has a
// class of its own.
class Admitted {
 public:
  virtual ~Admitted() = default;
};

// What to do with a request once its head is read.
struct Admission {
  std::uint64_t body_limit_bytes = 0;
  // When set: answer this at once, without reading the body.
  std::shared_ptr<const Response> refusal;
  // The client whose body it is, for the share of body bytes in flight.
  std::string client = {};
  std::shared_ptr<Admitted> admitted = {};
};

// The way to decide later. Valid while Handler::admit() runs.
class Parking {
 public:
  // Makes the decision. Called once on the loop of the connection, with the head of the request; never when the request
  // has ended by then.
  using Decide = std::function<Admission(const RequestHead& head)>;
  // To be called once, by any thread; a second call does nothing. It may outlive the connection and the server.
  using Resume = std::function<void(Decide)>;

  // Parks the connection until the function is called: what it sends is kept up to a small amount and not read beyond.
  // A client that has waited for ServerOptions::admission_timeout_s gets 503.
  virtual Resume park() = 0;

 protected:
  ~Parking() = default;
};

}  // namespace cloister::http
