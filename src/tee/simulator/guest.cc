#include "tee/simulator/guest.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "crypto/x509.h"
#include "tee/simulator/platform.h"

namespace cloister::tee {
namespace {

// TCG event types (TCG PC Client Platform Firmware Profile, section 10.4.1) as they occur in genuine logs.
constexpr std::uint32_t kEvSeparator = 0x00000004;
constexpr std::uint32_t kEvEventTag = 0x00000006;
constexpr std::uint32_t kEvEfiVariableDriverConfig = 0x80000001;
constexpr std::uint32_t kEvEfiBootServicesApplication = 0x80000003;
constexpr std::uint32_t kEvEfiPlatformFirmwareBlob = 0x8000000b;

ByteArray<48> labelled(std::string_view what) {
  return crypto::sha384(as_bytes("cloister insecure simulator " + std::string(what)));
}

// The identity of the application, before anything is measured.
struct Application {
  std::string name;
  std::string compose;  // exact text whose SHA-256 is the compose hash
  ByteArray<32> compose_hash{};
  Bytes app_id;
  Bytes instance_id;
  ByteArray<32> os_image_hash{};
  std::string key_provider;  // JSON text
};

Application make_application(ByteView seed, const std::string& name) {
  Application app;
  app.name = name;
  app.compose = codec::write_json(Json{
      {"manifest_version", 2},
      {"name", name},
      {"runner", "docker-compose"},
      {"docker_compose_file", "# INSECURE SIMULATOR: no container runs here and nothing is measured\nservices: {}\n"},
      {"kms_enabled", false},
      {"gateway_enabled", false},
      {"public_logs", false},
      {"public_sysinfo", false},
      {"allowed_envs", Json::array()},
  });
  app.compose_hash = crypto::sha256(as_bytes(app.compose));
  app.app_id = Bytes(app.compose_hash.begin(), app.compose_hash.begin() + 20);
  app.instance_id = simulated_bytes(seed, "instance id", 20);
  app.os_image_hash = crypto::sha256(as_bytes("cloister insecure simulator os image"));
  // The KMS under whose root the simulated agent's chains of custody stand.
  const auto root = crypto::Secp256k1Key::from_secret(simulated_bytes(seed, kKmsRootLabel, 32));
  app.key_provider = codec::write_json(
      Json{{"name", "insecure-simulator"}, {"id", to_hex(crypto::compress_secp256k1(root->public_key()))}});
  return app;
}

evidence::Event boot_event(int imr, std::uint32_t type, std::string_view what) {
  evidence::Event event;
  event.imr = imr;
  event.event_type = type;
  event.payload = to_bytes(as_bytes("INSECURE SIMULATOR " + std::string(what)));
  event.digest = crypto::sha384(event.payload);
  return event;
}

// The events have the boot order of genuine dstack logs.
std::vector<evidence::Event> make_events(const Application& app) {
  using evidence::runtime_event;
  return {
      boot_event(0, kEvEfiPlatformFirmwareBlob, "firmware configuration"),
      boot_event(0, kEvEfiVariableDriverConfig, "SecureBoot variable"),
      boot_event(0, kEvSeparator, "separator"),
      boot_event(1, kEvEfiBootServicesApplication, "kernel"),
      boot_event(1, kEvSeparator, "separator"),
      boot_event(2, kEvEventTag, "kernel command line"),
      boot_event(2, kEvEventTag, "initial ramdisk"),
      runtime_event("system-preparing", {}),
      runtime_event("app-id", app.app_id),
      runtime_event("compose-hash", app.compose_hash),
      runtime_event("instance-id", app.instance_id),
      runtime_event("boot-mr-done", {}),
      runtime_event("os-image-hash", app.os_image_hash),
      runtime_event("key-provider", as_bytes(app.key_provider)),
      runtime_event("system-ready", {}),
  };
}

codec::TdReport make_report(const Application& app, const std::vector<evidence::Event>& events) {
  codec::TdReport report;
  report.tee_tcb_svn = {7, 1, 3};
  report.mr_seam = labelled("mr_seam");
  report.td_attributes = {0, 0, 0, 0x10};  // SEPT_VE_DISABLE (bit 28), no DEBUG
  report.xfam = {0xe7, 0x02, 0x06};        // 0x602e7
  report.mr_td = labelled("mr_td");
  report.mr_config_id[0] = 1;  // form 1: 0x01 || compose hash || zeros
  std::copy(app.compose_hash.begin(), app.compose_hash.end(), report.mr_config_id.begin() + 1);
  for (const evidence::Event& event : events) {
    ByteArray<48>& rtmr = report.rtmr[event.imr];
    rtmr = evidence::extend(rtmr, event.digest);
  }
  return report;
}

Result<std::string> issue_app_certificate(ByteView seed, const Application& app) {
  TRY(key, crypto::EcKey::derive(crypto::Curve::kP256, seed, kAppCaKeyLabel));
  crypto::CertificateSpec spec;
  spec.subject_common_name = kAppCaName;
  spec.issuer_common_name = spec.subject_common_name;
  spec.not_before = 1704067200;  // 2024-01-01
  spec.not_after = 2524607999;   // 2049-12-31T23:59:59
  spec.serial = simulated_bytes(seed, "app certificate of " + app.name, 16);
  spec.is_ca = true;
  TRY(certificate, crypto::issue_certificate(spec, key, key));
  return certificate.to_pem();
}

// One value for all registers, as agents state it; nobody signs it.
std::string aggregated(const codec::TdReport& report) {
  Bytes all = to_bytes(report.mr_td);
  for (const ByteArray<48>& rtmr : report.rtmr) append(all, rtmr);
  return to_hex(crypto::sha256(all));
}

// Several members occur twice, as in dstack's form: next to tcb_info and inside it.
TeeInfo make_info(ByteView seed, const Application& app, const Guest& guest, std::string app_certificate) {
  const std::string device_id = to_hex(simulated_bytes(seed, "device id", 32));
  const Json tcb_info = {
      {"mrtd", to_hex(guest.report.mr_td)},
      {"rtmr0", to_hex(guest.report.rtmr[0])},
      {"rtmr1", to_hex(guest.report.rtmr[1])},
      {"rtmr2", to_hex(guest.report.rtmr[2])},
      {"rtmr3", to_hex(guest.report.rtmr[3])},
      {"os_image_hash", to_hex(app.os_image_hash)},
      {"compose_hash", to_hex(app.compose_hash)},
      {"mr_aggregated", aggregated(guest.report)},
      {"device_id", device_id},
      {"app_compose", app.compose},
      {"event_log", evidence::event_log_json(guest.events)},
  };
  TeeInfo out;
  out.vm_config = codec::write_json(
      Json{{"spec_version", 1}, {"os_image_hash", to_hex(app.os_image_hash)}, {"insecure_simulator", true}});
  out.info = {
      {"app_id", to_hex(app.app_id)},
      {"instance_id", to_hex(app.instance_id)},
      {"app_cert", std::move(app_certificate)},
      {"tcb_info", tcb_info},
      {"app_name", app.name},
      {"device_id", device_id},
      {"os_image_hash", to_hex(app.os_image_hash)},
      {"compose_hash", to_hex(app.compose_hash)},
      {"key_provider_info", app.key_provider},
      {"vm_config", out.vm_config},
  };
  return out;
}

}  // namespace

void extend_guest(Guest& guest, evidence::Event event) {
  ByteArray<48>& rtmr = guest.report.rtmr[event.imr];
  rtmr = evidence::extend(rtmr, event.digest);
  guest.events.push_back(std::move(event));
  Json& tcb_info = guest.info.info["tcb_info"];
  for (int i = 0; i < 4; ++i) tcb_info["rtmr" + std::to_string(i)] = to_hex(guest.report.rtmr[i]);
  tcb_info["mr_aggregated"] = aggregated(guest.report);
  tcb_info["event_log"] = evidence::event_log_json(guest.events);
}

Result<Guest> make_guest(ByteView seed, const std::string& app_name) {
  const Application app = make_application(seed, app_name);
  Guest guest;
  guest.events = make_events(app);
  guest.report = make_report(app, guest.events);
  TRY(app_certificate, issue_app_certificate(seed, app));
  guest.info = make_info(seed, app, guest, std::move(app_certificate));
  return guest;
}

}  // namespace cloister::tee
