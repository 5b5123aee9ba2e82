#include "verify/connection.h"

#include <string>
#include <utility>

#include "verify/check.h"

namespace cloister::verify {

void check_connection(Channel channel, Verdict& verdict) {
  const std::string id = "connection.encryption";
  if (channel == Channel::kInsecureHttp) {
    verdict.facts["connection"] = "insecure_http";
    verdict.add(skipped(id,
                        "plain http to another machine, as --insecure-http allows: everyone on the way can read "
                        "the prompt and the reply, and can change both",
                        false));
    return;
  }
  const bool tls = channel == Channel::kTls;
  verdict.facts["connection"] = tls ? "tls" : "this_machine";
  Check check = passed(id, tls ? "TLS" : "http that does not leave this machine");
  check.required = false;
  verdict.add(std::move(check));
}

}  // namespace cloister::verify
