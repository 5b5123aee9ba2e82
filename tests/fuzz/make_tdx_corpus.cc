// Writes the seeds of the fuzz targets about TDX collateral: make_tdx_corpus DIR. The seeds are the same on every run.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "verify/tdx/collateral_bundle.h"
#include "verify/testing/own_platform.h"

namespace {

using namespace cloister;
using testing::der;
using testing::der_list;

void add(const std::filesystem::path& folder, const std::string& name, std::string_view bytes) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / name, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

Bytes entry(std::initializer_list<std::uint8_t> suffix, const Bytes& value) {
  Bytes oid = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
  oid.insert(oid.end(), suffix);
  return der_list(0x30, {der(0x06, oid), value});
}

Bytes pck_extension(bool of_platform_ca) {
  Bytes tcb;
  for (std::uint8_t i = 1; i <= 16; ++i) append(tcb, entry({2, i}, testing::der_integer(Bytes{i})));
  append(tcb, entry({2, 17}, testing::der_integer(Bytes{0x01, 0x00})));
  append(tcb, entry({2, 18}, der(0x04, Bytes(16, 9))));
  Bytes out = entry({1}, der(0x04, Bytes(16, 1)));
  append(out, entry({2}, der(0x30, tcb)));
  append(out, entry({3}, der(0x04, Bytes{0, 0})));
  append(out, entry({4}, der(0x04, Bytes(6, 4))));
  append(out, entry({5}, der(0x0a, Bytes{1})));
  if (of_platform_ca) {
    append(out, entry({6}, der(0x04, Bytes(16, 6))));
    append(out, entry({7}, der_list(0x30, {entry({7, 1}, der(0x01, Bytes{0xff})), entry({7, 2}, der(0x01, Bytes{0xff})),
                                           entry({7, 3}, der(0x01, Bytes{0}))})));
  }
  return der(0x30, out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_tdx_corpus DIR\n";
    return 2;
  }
  const std::filesystem::path folder(argv[1]);
  testing::OwnPlatform platform;
  const verify::TdxCollateral collateral = platform.build();
  add(folder / "tdx_bundle", "complete", verify::write_tdx_bundle(collateral));
  add(folder / "tdx_bundle", "empty", verify::write_tdx_bundle({}));
  verify::TdxCollateral with_chain = collateral;
  with_chain.pck_certificate_chain = collateral.pck_crl_issuer_chain;
  add(folder / "tdx_bundle", "with_pck_chain", verify::write_tdx_bundle(with_chain));
  add(folder / "tcb_info", "tcb_info", collateral.tcb_info);
  add(folder / "tcb_info", "qe_identity", collateral.qe_identity);
  add(folder / "tcb_info", "answer_with_tcb_info",
      R"({"tcbInfo":)" + collateral.tcb_info + R"(,"signature":")" + collateral.tcb_info_signature + "\"}");
  add(folder / "tcb_info", "answer_with_qe_identity",
      R"({"signature":")" + collateral.qe_identity_signature + R"(","enclaveIdentity":)" + collateral.qe_identity +
          "}");
  platform.pck_crl.revoked = {{1, 2}, Bytes(20, 0x7f)};
  platform.pck_crl.entry_extensions = {testing::der_extension({0x55, 0x1d, 0x15}, false, der(0x0a, Bytes{1}))};
  platform.pck_crl.extensions = {testing::der_extension({0x55, 0x1d, 0x14}, false, testing::der_integer(Bytes{5}))};
  const Bytes list = platform.pck_crl.sign(platform.ca_key);
  add(folder / "crl", "two_entries_in_der", as_text(list));
  add(folder / "crl", "two_entries_in_hex", to_hex(list));
  add(folder / "crl", "no_entry", as_text(collateral.root_ca_crl));
  platform.pck_crl.extensions = {testing::der_extension({0x55, 0x1d, 0x1b}, true, testing::der_integer(Bytes{5}))};
  add(folder / "crl", "delta", as_text(platform.pck_crl.sign(platform.ca_key)));
  add(folder / "crl", "no_entry_in_pem",
      "-----BEGIN X509 CRL-----\n" + to_base64(collateral.root_ca_crl) + "\n-----END X509 CRL-----\n");
  add(folder / "pck_extension", "of_the_processor_authority", as_text(pck_extension(false)));
  add(folder / "pck_extension", "of_the_platform_authority", as_text(pck_extension(true)));
  return 0;
}
