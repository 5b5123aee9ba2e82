#include "apps/commands.h"

namespace cloister::apps {

void add_other_commands(CLI::App& app, int& exit_status) {
  add_verify_command(app, exit_status);
  add_chat_command(app, exit_status);
  add_simulator_command(app, exit_status);
  add_doctor_command(app, exit_status);
  add_models_command(app, exit_status);
  add_audit_command(app, exit_status);
  add_receipts_command(app, exit_status);
}

}  // namespace cloister::apps
