// AdmittedCall: what the node has found out about a request when it admitted it, so that nothing is looked up again when
// the body is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/endpoint.h"
#include "base/owner.h"
#include "http/admission.h"

namespace cloister::serve {

struct AdmittedCall final : http::Admitted {
  AdmittedCall(const api::Endpoint& found, std::string_view argument, std::uint64_t asked_at)
      : endpoint(found), path_argument(argument), version(asked_at) {}

  const api::Endpoint& endpoint;
  const std::string path_argument;
  const std::uint64_t version;  // of the authenticator, before it was asked
  std::optional<Owner> caller;  // its answer
};

}  // namespace cloister::serve
