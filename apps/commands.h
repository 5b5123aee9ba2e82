// The commands of the program. Each adds itself to the command line; when it is chosen it sets `exit_status`.
#pragma once

#include <CLI/CLI.hpp>

namespace cloister::apps {

// Exit statuses of all commands: 0 accepted, 1 rejected, 2 usage or unreadable input, 3 undetermined (docs/guide/verify.md).
constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitInterrupted = 130;  // ended by SIGINT, with the status that shells use

void add_serve_command(CLI::App& app, int& exit_status);
// Adds all other commands.
void add_other_commands(CLI::App& app, int& exit_status);

void add_verify_command(CLI::App& app, int& exit_status);
void add_chat_command(CLI::App& app, int& exit_status);
void add_simulator_command(CLI::App& app, int& exit_status);
void add_doctor_command(CLI::App& app, int& exit_status);
void add_models_command(CLI::App& app, int& exit_status);
void add_audit_command(CLI::App& app, int& exit_status);
void add_receipts_command(CLI::App& app, int& exit_status);

}  // namespace cloister::apps
