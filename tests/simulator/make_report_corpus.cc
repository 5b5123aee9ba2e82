// Writes the named seeds of the fuzz targets `report` and `aci_report`: make_report_corpus tests/fuzz/corpus. The seeds
// are genuine and tampered reports of a simulated node. Each is small enough for the fuzzer to keep it whole.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>

#include "base/file.h"
#include "codec/json.h"
#include "tests/simulator/forgery.h"
#include "tests/simulator/simulated_node.h"
#include "tests/simulator/simulated_service.h"

using namespace cloister;
using namespace cloister::testing;

namespace {

constexpr std::size_t kMostBytes = 16384;  // -max_len of tests/fuzz/run

// Removes long members that are not verified.
Json shorten(Json report) {
  for (const char* name : {"all_attestations", "info", "event_log", "quote", "signing_public_key"}) report.erase(name);
  return report;
}

Json edited(Json report, const std::function<void(Json&)>& edit) {
  edit(report);
  return report;
}

std::map<std::string, Json> quotes(const SimulatedNode& node) {
  Ask ask = test_ask();
  ask.gpu = false;
  const Json ecdsa = shorten(node.report(ask));
  const Json public_key = node.report(ask)["signing_public_key"];
  ask.algo = evidence::SigningAlgo::kEd25519;
  ask.tls_spki_sha256.emplace().fill(0x11);
  return {
      {"ecdsa", ecdsa},
      {"ed25519_with_tls", shorten(node.report(ask))},
      {"ecdsa_with_public_key", edited(ecdsa, [&](Json& r) { r["signing_public_key"] = public_key; })},
      {"named_as_real", edited(ecdsa, [](Json& r) { r["tee_type"] = "tdx"; })},
      {"measurement_changed",
       edited(ecdsa, [](Json& r) { edit_quote_bytes(r, [](Bytes& quote) { quote.at(184) ^= 1; }), r.erase("quote"); })},
      {"intermediate_missing", edited(ecdsa,
                                      [](Json& r) {
                                        set_pck_chain(r, drop_certificate(as_text(quote_in(r).certification_data), 1)),
                                            r.erase("quote");
                                      })},
  };
}

// GPU evidence takes most of the size that the fuzzer keeps, so the quote is replaced by an empty text.
std::map<std::string, Json> gpus(const SimulatedNode& node) {
  const Json gpu = edited(shorten(node.report(test_ask())), [](Json& r) { r["intel_quote"] = ""; });
  return {
      {"gpu", gpu},
      {"gpu_payload_as_object",
       edited(gpu, [](Json& r) { r["nvidia_payload"] = Json::parse(r["nvidia_payload"].get<std::string>()); })},
      {"gpu_measurement_changed", edited(gpu,
                                         [](Json& r) {
                                           edit_payload(r, [](evidence::NvidiaPayload& p) {
                                             p.evidence_list[0].report.at(60) ^= 1;
                                           });
                                         })},
  };
}

// Returns a list of instances with invalid quotes.
Json instances(const SimulatedNode& node) {
  Ask ask = test_ask();
  ask.gpu = false;
  const Json item = edited(shorten(node.report(ask)), [](Json& r) { r["intel_quote"] = "04"; });
  Json report = item;
  report["all_attestations"] = Json::array({item, item});
  return report;
}

// Returns reports that bind a keyset, and gateways' answers with invalid quotes.
std::map<std::string, Json> keyset_reports(const SimulatedNode& node) {
  const SimulatedService service(node);
  const Json aci = service.aci_report(test_nonce());
  const Json native = service.native_report(test_nonce(), false);
  const Json wrapped = instances(node);
  return {
      {"aci", aci},
      {"aci_without_nonce", service.aci_report(std::nullopt)},
      {"aci_of_an_aggregator", edited(aci, [](Json& r) { r["service_capabilities"]["serving"] = "aggregator"; })},
      {"aci_with_a_quote_that_is_none", edited(aci, [](Json& r) { r["attestation"]["evidence"]["quote"] = "616369"; })},
      {"aci_with_a_key_of_two_roles", edited(aci,
                                             [](Json& r) {
                                               Json& keyset = r["attestation"]["workload_keyset"];
                                               keyset["e2ee_public_keys"][0]["public_key"] =
                                                   keyset["receipt_signing_keys"][0]["public_key"];
                                             })},
      {"native", native},
      {"native_with_another_model", edited(native, [](Json& r) { r["model"]["name"] = "other"; })},
      {"native_with_gpu_and_a_quote_that_is_none",
       edited(service.native_report(test_nonce()), [](Json& r) { r["quote"] = ""; })},
      {"wrapped_gateway_and_models",
       wrapped_report(edited(wrapped, [](Json& r) { r.erase("all_attestations"); }), Json::array({wrapped, wrapped}))},
      {"wrapped_gateway_alone", Json{{"gateway_attestation", edited(wrapped, [](Json& r) { r.erase("tee_type"); })}}},
      {"marks_of_two_kinds", edited(aci, [](Json& r) { r["intel_quote"] = "04"; })},
  };
}

bool write(const std::filesystem::path& path, const Json& report) {
  const std::string text = codec::write_json(report);
  if (text.size() > kMostBytes) {
    std::fprintf(stderr, "%s has %zu bytes, more than the fuzzer keeps\n", path.c_str(), text.size());
    return false;
  }
  const auto written = write_file_atomically(path, text, 0644);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_report_corpus FOLDER\n");
    return 2;
  }
  const SimulatedNode node(1, 1);
  std::map<std::string, Json> reports = quotes(node);
  reports.merge(gpus(node));
  reports["instances"] = instances(node);
  const std::map<std::string, std::map<std::string, Json>> targets = {{"report", reports},
                                                                      {"aci_report", keyset_reports(node)}};
  for (const auto& [target, seeds] : targets) {
    const std::filesystem::path folder = std::filesystem::path(argv[1]) / target;
    std::error_code code;
    std::filesystem::create_directories(folder, code);
    for (const auto& [name, report] : seeds) {
      if (!write(folder / name, report)) return 1;
    }
  }
  return 0;
}
