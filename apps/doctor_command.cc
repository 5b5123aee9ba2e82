// cloister doctor: tells line by line whether this machine is ready to be a node in a real TEE, and what to do. It
// reads /proc, /sys, device files and the driver's library; it starts nothing and changes nothing.
#include <algorithm>
#include <memory>

#include "apps/commands.h"
#include "apps/doctor/config_probe.h"
#include "apps/doctor/disk_probe.h"
#include "apps/doctor/gpu_probe.h"
#include "apps/doctor/service_probe.h"
#include "apps/doctor/system_probe.h"
#include "apps/doctor/tee_probe.h"
#include "apps/output.h"
#include "collateral/endpoints.h"
#include "config/serve_options.h"

namespace cloister::apps {
namespace {

struct DoctorOptions {
  std::string state_folder, nvml_library, rim_dir;  // "": as the configuration says
  std::string config, root = "/";
  bool no_gpu = false, online = false, json = false;
};

std::string_view to_text(FindingState state) {
  switch (state) {
    case FindingState::kOk: return "ok";
    case FindingState::kProblem: return "problem";
    case FindingState::kUnknown: return "unknown";
  }
  return "unknown";
}

const std::string& first_given(const std::string& one, const std::string& other) { return one.empty() ? other : one; }

Findings examine(const DoctorOptions& options) {
  const Roots roots(options.root);
  config::ServeOptions configured;
  configured.state_folder = config::default_state_folder();
  Findings all;
  const auto add = [&all](Findings more) {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  };
  if (!options.config.empty()) add(probe_config(options.config, configured));
  add(probe_tee(roots));
  if (!options.no_gpu) {
    add(probe_gpu(roots, first_given(options.nvml_library, configured.nvml_library),
                  first_given(options.rim_dir, configured.rim_dir)));
  }
  add(probe_clock());
  add(probe_entropy(roots));
  add(probe_memory(roots));
  all.push_back(probe_disk(roots, first_given(options.state_folder, configured.state_folder)));
  if (options.online) add(probe_services(collateral::Endpoints{}));
  return all;
}

bool is_ready(const Findings& findings) {
  for (const Finding& each : findings) {
    if (each.required && each.state != FindingState::kOk) return false;
  }
  return true;
}

void print_findings(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& each : findings) {
    list.push_back({{"id", each.id},
                    {"state", to_text(each.state)},
                    {"required", each.required},
                    {"what", each.what},
                    {"todo", each.todo.empty() ? Json(nullptr) : Json(each.todo)}});
  }
  print_json({{"ready", is_ready(findings)}, {"findings", std::move(list)}});
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size()), ' ');
  return out;
}

void print_text(const Findings& findings) {
  for (const Finding& each : findings) {
    say(padded(to_text(each.state), 8) + " " + padded(each.id, 22) + " " + each.what);
    if (!each.todo.empty()) say(padded("", 31) + " " + (each.required ? "to do: " : "advice: ") + each.todo);
  }
  say("");
  say(is_ready(findings) ? "This machine is ready to be a node in a real TEE."
                         : "This machine is not ready to be a node in a real TEE.");
}

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("doctor", "show whether this machine can be a node in a real TEE, and what it lacks");
  auto options = std::make_shared<DoctorOptions>();
  command->add_option("--config", options->config, "a configuration of cloister serve to check as well");
  command->add_option("--state", options->state_folder,
                      "the folder that cloister serve would use; default: " + config::default_state_folder());
  command->add_option("--nvml-library", options->nvml_library, "path of libnvidia-ml.so.1; default: the system's");
  command->add_option("--rim-dir", options->rim_dir,
                      "folder of NVIDIA's manifests to compare the GPUs' measurements with");
  command->add_flag("--no-gpu", options->no_gpu, "check for a node that serves without a GPU");
  command->add_flag("--online", options->online, "also ask whether the makers' services can be reached");
  command->add_flag("--json", options->json, "print one JSON object");
  command->add_option("--root", options->root, "where proc, sys, dev and var/run are")->group("");
  command->callback([options, &exit_status] {
    const Findings findings = examine(*options);
    if (options->json) {
      print_findings(findings);
    } else {
      print_text(findings);
    }
    exit_status = is_ready(findings) ? kExitOk : kExitFailed;
  });
}

}  // namespace cloister::apps
