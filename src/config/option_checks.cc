#include "config/option_checks.h"

#include "config/option_conflicts.h"
#include "config/option_forms.h"

namespace cloister::config {

Result<void> check_options(const ServeOptions& options) {
  TRY_VOID(check_option_forms(options));
  TRY_VOID(check_option_conflicts(options));
  return check_model(options);
}

}  // namespace cloister::config
