#include "tee/tee.h"

namespace cloister::tee {

Result<evidence::KeyCustody> Tee::key_custody(std::string_view, std::string_view) {
  return fail(ErrorCode::kUnsupported, "no KMS stands behind the keys of a TEE of the kind " + std::string(type()));
}

Result<void> Tee::extend_event(std::string_view, ByteView) {
  return fail(ErrorCode::kUnsupported,
              "a TEE of the kind " + std::string(type()) + " has no register that a running guest may extend");
}

}  // namespace cloister::tee
