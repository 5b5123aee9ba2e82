// Writes the named seed inputs of the report fuzz target into a folder: make_report_corpus FOLDER.
// The inputs are genuine and tampered reports of a simulated node; the fuzzer mutates them.
#include <cstdio>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "codec/json.h"
#include "tests/simulator/forgery.h"
#include "tests/simulator/simulated_node.h"

using namespace cloister;
using namespace cloister::testing;

namespace {

std::map<std::string, Json> reports() {
  std::map<std::string, Json> out;
  const SimulatedNode one_gpu(1, 1);
  Ask ask = test_ask();
  out["ecdsa_one_gpu"] = one_gpu.report(ask);
  ask.gpu = false;
  out["ecdsa_no_gpu"] = one_gpu.report(ask);
  ask.algo = evidence::SigningAlgo::kEd25519;
  ask.tls_spki_sha256.emplace().fill(0x11);
  out["ed25519_tls_no_gpu"] = one_gpu.report(ask);

  Json changed = out["ecdsa_no_gpu"];
  edit_quote_bytes(changed, [](Bytes& quote) { quote.at(184) ^= 1; });
  out["changed_mr_td"] = changed;
  changed = out["ecdsa_no_gpu"];
  set_pck_chain(changed, drop_certificate(as_text(quote_in(changed).certification_data), 1));
  out["missing_intermediate"] = changed;
  changed = out["ecdsa_one_gpu"];
  edit_payload(changed, [](evidence::NvidiaPayload& payload) { payload.evidence_list[0].report.at(60) ^= 1; });
  changed.erase("all_attestations");
  out["changed_measurement"] = changed;
  changed = out["ecdsa_no_gpu"];
  for (const char* name : {"all_attestations", "info", "event_log", "vm_config", "quote"}) changed.erase(name);
  out["least"] = changed;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_report_corpus FOLDER\n");
    return 2;
  }
  std::error_code code;
  std::filesystem::create_directories(argv[1], code);
  for (const auto& [name, report] : reports()) {
    const auto written =
        write_file_atomically(std::filesystem::path(argv[1]) / (name + ".json"), codec::write_json(report), 0644);
    if (!written) {
      std::fprintf(stderr, "%s\n", written.error().message.c_str());
      return 1;
    }
  }
  return 0;
}
