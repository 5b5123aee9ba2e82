#include "verify/boot/compose.h"

#include <algorithm>
#include <array>

#include "codec/json.h"
#include "codec/yaml.h"

namespace cloister::verify {
namespace {

using codec::YamlMember;
using codec::YamlNode;

constexpr std::size_t kMostBytes = 1u << 20;
constexpr std::size_t kMostListed = 32;
constexpr std::size_t kMostShown = 120;
constexpr std::string_view kDigest = "@sha256:";
constexpr std::string_view kMerge = "<<";

// The members that a file may have at its top without starting code other than its services' images (`include` and `models` do).
constexpr std::array<std::string_view, 7> kTop = {"configs",  "name",    "networks", "secrets",
                                                  "services", "version", "volumes"};

// The members of a service in the Compose Specification that take no code from elsewhere: all except build, develop,
// extends, models, provider and use_api_socket. In the order of their names.
constexpr std::array kOfService = std::to_array<std::string_view>({"annotations",
                                                                   "attach",
                                                                   "blkio_config",
                                                                   "cap_add",
                                                                   "cap_drop",
                                                                   "cgroup",
                                                                   "cgroup_parent",
                                                                   "command",
                                                                   "configs",
                                                                   "container_name",
                                                                   "cpu_count",
                                                                   "cpu_percent",
                                                                   "cpu_period",
                                                                   "cpu_quota",
                                                                   "cpu_rt_period",
                                                                   "cpu_rt_runtime",
                                                                   "cpu_shares",
                                                                   "cpus",
                                                                   "cpuset",
                                                                   "credential_spec",
                                                                   "depends_on",
                                                                   "deploy",
                                                                   "device_cgroup_rules",
                                                                   "devices",
                                                                   "dns",
                                                                   "dns_opt",
                                                                   "dns_search",
                                                                   "domainname",
                                                                   "entrypoint",
                                                                   "env_file",
                                                                   "environment",
                                                                   "expose",
                                                                   "external_links",
                                                                   "extra_hosts",
                                                                   "gpus",
                                                                   "group_add",
                                                                   "healthcheck",
                                                                   "hostname",
                                                                   "image",
                                                                   "init",
                                                                   "ipc",
                                                                   "isolation",
                                                                   "label_file",
                                                                   "labels",
                                                                   "links",
                                                                   "logging",
                                                                   "mac_address",
                                                                   "mem_limit",
                                                                   "mem_reservation",
                                                                   "mem_swappiness",
                                                                   "memswap_limit",
                                                                   "network_mode",
                                                                   "networks",
                                                                   "oom_kill_disable",
                                                                   "oom_score_adj",
                                                                   "pid",
                                                                   "pids_limit",
                                                                   "platform",
                                                                   "ports",
                                                                   "post_start",
                                                                   "pre_stop",
                                                                   "privileged",
                                                                   "profiles",
                                                                   "pull_policy",
                                                                   "read_only",
                                                                   "restart",
                                                                   "runtime",
                                                                   "scale",
                                                                   "secrets",
                                                                   "security_opt",
                                                                   "shm_size",
                                                                   "stdin_open",
                                                                   "stop_grace_period",
                                                                   "stop_signal",
                                                                   "storage_opt",
                                                                   "sysctls",
                                                                   "tmpfs",
                                                                   "tty",
                                                                   "ulimits",
                                                                   "user",
                                                                   "userns_mode",
                                                                   "uts",
                                                                   "volumes",
                                                                   "volumes_from",
                                                                   "working_dir"});
static_assert(std::ranges::is_sorted(kOfService) && std::ranges::is_sorted(kTop));

// Volumes whose content comes from no image.
constexpr std::array<std::string_view, 5> kVolumes = {"bind", "cluster", "npipe", "tmpfs", "volume"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

bool is_pinned(std::string_view image) {
  const std::size_t at = image.find(kDigest);
  if (at == std::string_view::npos || at == 0) return false;
  const std::string_view name = image.substr(0, at);
  const std::string_view hex = image.substr(at + kDigest.size());
  const auto name_character = [](char c) { return is_word(c) || c == '/' || c == ':'; };
  return std::all_of(name.begin(), name.end(), name_character) && hex.size() == 64 &&
         std::all_of(hex.begin(), hex.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void file(const YamlNode& root) {
    if (!root.is_mapping()) return complain(root.line, "expected an object");
    for (const YamlMember& member : root.members) {
      if (member.name.starts_with("x-") || std::ranges::binary_search(kTop, member.name)) continue;
      complain(member.value.line, member.name + " may start code that no image of a service fixes");
    }
    for (const YamlMember& member : root.members) {
      if (member.name == "volumes") named_volumes(member.value);
    }
    const YamlNode* services = root.find("services");
    if (services == nullptr || !services->is_mapping()) return complain(root.line, "no services");
    for (const YamlMember& member : services->members) service(member);
  }

  ComposeImages take() { return std::move(out_); }

 private:
  // A driver, or options of the local driver, can mount a file system of another machine.
  void named_volumes(const YamlNode& node) {
    if (node.is_null()) return;
    if (!node.is_mapping()) return complain(node.line, "volumes is no object");
    for (const YamlMember& volume : node.members) {
      if (volume.value.is_null()) continue;
      const bool plain =
          volume.value.is_mapping() && std::ranges::all_of(volume.value.members, [](const YamlMember& member) {
            return member.name == "name" || member.name == "labels" ||
                   (member.name == "driver" && member.value.is_scalar() && member.value.text == "local");
          });
      if (!plain) complain(volume.value.line, "volumes." + volume.name + " may hold files of another machine");
    }
  }

  // "container:NAME" names a container that is in no compose file.
  void volumes_from(const std::string& name, const YamlNode& node) {
    const auto of_a_service = [](const YamlNode& item) {
      return item.is_scalar() && !item.text.starts_with("container:");
    };
    if (node.is_sequence() && std::ranges::all_of(node.items, of_a_service)) return;
    complain(node.line, "services." + name + ".volumes_from may name a container of elsewhere");
  }

  void service(const YamlMember& service) {
    if (service.name.starts_with("x-")) return;
    // Merges whole services from another mapping.
    if (service.name == kMerge) return complain(service.value.line, "services are merged from elsewhere");
    const std::size_t images = out_.pinned + loose_;
    fragment(service.name, service.value);
    if (images == out_.pinned + loose_) complain(service.value.line, "services." + service.name + " names no image");
  }

  // Checks a service, or a mapping that is merged into one. Where both name an image, both are checked, whichever counts.
  void fragment(const std::string& name, const YamlNode& node) {
    if (!node.is_mapping()) return complain(node.line, "services." + name + " is no object");
    for (const YamlMember& member : node.members) {
      if (member.name == kMerge) {
        merged(name, member.value);
      } else if (member.name == "image") {
        image(member.value);
      } else if (member.name == "volumes") {
        volumes(name, member.value);
      } else if (member.name == "volumes_from") {
        volumes_from(name, member.value);
      } else if (!member.name.starts_with("x-") && !std::ranges::binary_search(kOfService, member.name)) {
        complain(member.value.line, "services." + name + "." + member.name + " may start code that no image fixes");
      }
    }
  }

  void merged(const std::string& name, const YamlNode& node) {
    if (!node.is_sequence()) return fragment(name, node);
    for (const YamlNode& item : node.items) fragment(name, item);
  }

  void image(const YamlNode& node) {
    if (node.is_scalar() && is_pinned(node.text)) {
      ++out_.pinned;
    } else {
      complain(node.line, line_text(node.line));
    }
  }

  void volumes(const std::string& name, const YamlNode& node) {
    if (node.is_null()) return;
    if (!node.is_sequence()) return complain(node.line, "services." + name + ".volumes is no list");
    for (const YamlNode& item : node.items) {
      if (item.is_scalar()) continue;
      const YamlNode* type = item.find("type");
      const bool known = type != nullptr && type->is_scalar() && std::ranges::binary_search(kVolumes, type->text);
      if (!known || item.find(kMerge) != nullptr)
        complain(item.line, "services." + name + ".volumes may hold the content of an image");
    }
  }

  std::string line_text(std::size_t line) const {
    std::string_view rest = text_;
    for (; line > 1; --line)
      rest.remove_prefix(
          std::min(rest.size(), rest.find('\n') == std::string_view::npos ? rest.size() : rest.find('\n') + 1));
    return std::string(trim(rest.substr(0, rest.find('\n'))));
  }

  void complain(std::size_t line, const std::string& what) {
    ++loose_;
    if (out_.loose.size() < kMostListed)
      out_.loose.push_back("line " + std::to_string(line) + ": " + what.substr(0, kMostShown));
  }

  std::string_view text_;
  ComposeImages out_;
  std::size_t loose_ = 0;
};

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool holds(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && !found->is_null() && *found != "" && !(found->is_array() && found->empty());
}

}  // namespace

ComposeImages read_compose_images(std::string_view docker_compose_file) {
  if (trim(docker_compose_file).empty()) return {};
  const Result<YamlNode> root = codec::parse_yaml(docker_compose_file, {.max_bytes = kMostBytes});
  if (!root) return {0, {root.error().message}};
  Reader reader(docker_compose_file);
  reader.file(*root);
  return reader.take();
}

Result<AppCompose> parse_app_compose(std::string_view text) {
  const auto bad = [](const std::string& what) { return fail(ErrorCode::kBadReport, "app_compose: " + what); };
  const Result<Json> object = codec::parse_json(text, {kMostBytes, 32, 1u << 16});
  if (!object) return bad(object.error().message);
  if (!object->is_object()) return bad(std::string("expected an object, found ") + object->type_name());
  AppCompose out;
  out.name = text_of(*object, "name");
  out.runner = text_of(*object, "runner");
  out.docker_compose_file = text_of(*object, "docker_compose_file");
  out.pre_launch_script = holds(*object, "pre_launch_script");
  out.init_script = holds(*object, "init_script");
  out.bash_script = holds(*object, "bash_script");
  if (const auto envs = object->find("allowed_envs"); envs != object->end() && envs->is_array()) {
    for (const Json& name : *envs) {
      if (name.is_string()) out.allowed_envs.push_back(name.get<std::string>());
    }
  }
  return out;
}

}  // namespace cloister::verify
