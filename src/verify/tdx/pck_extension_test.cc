#include "verify/tdx/pck_extension.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/tdx_quote.h"
#include "crypto/testing/der_maker.h"

namespace cloister::verify {
namespace {

using testing::der;

Bytes entry(std::initializer_list<std::uint8_t> suffix, const Bytes& value) {
  Bytes oid = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};
  oid.insert(oid.end(), suffix);
  return testing::der_list(0x30, {der(0x06, oid), value});
}

using Entries = std::vector<Bytes>;

Bytes join(const Entries& entries) {
  Bytes content;
  for (const Bytes& one : entries) append(content, one);
  return der(0x30, content);
}

Entries tcb_entries() {
  Entries out;
  for (std::uint8_t i = 1; i <= 16; ++i) out.push_back(entry({2, i}, der(0x02, Bytes{i})));
  out.push_back(entry({2, 17}, der(0x02, Bytes{0x01, 0x02})));
  out.push_back(entry({2, 18}, der(0x04, Bytes(16, 9))));
  return out;
}

struct Parts {
  Entries tcb = tcb_entries();
  Entries top = {entry({1}, der(0x04, Bytes(16, 1))), entry({3}, der(0x04, Bytes{0, 1})),
                 entry({4}, der(0x04, Bytes(6, 4))), entry({5}, der(0x0a, Bytes{1}))};
  Bytes build() const {
    Entries all = top;
    all.push_back(entry({2}, join(tcb)));
    return join(all);
  }
};

TEST(PckExtension, ReadsEveryValue) {
  Parts parts;
  parts.tcb[15] = entry({2, 16}, der(0x02, Bytes{0x00, 0xff}));
  parts.top.push_back(entry({6}, der(0x04, Bytes(16, 6))));
  parts.top.push_back(entry({7}, join({entry({7, 1}, der(0x01, Bytes{0xff})), entry({7, 3}, der(0x01, Bytes{0}))})));
  parts.top.push_back(entry({8}, der(0x05, {})));
  const auto read = parse_pck_extension(parts.build());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->ppid[0], 1);
  EXPECT_EQ(read->component_svns[0], 1);
  EXPECT_EQ(read->component_svns[14], 15);
  EXPECT_EQ(read->component_svns[15], 255);
  EXPECT_EQ(read->pce_svn, 0x0102);
  EXPECT_EQ(read->cpu_svn[15], 9);
  EXPECT_EQ(to_hex(read->pce_id), "0001");
  EXPECT_EQ(to_hex(read->fmspc), "040404040404");
  EXPECT_EQ(read->sgx_type, 1);
  ASSERT_TRUE(read->platform_instance_id);
  ASSERT_TRUE(read->configuration);
  EXPECT_EQ(read->configuration->dynamic_platform, true);
  EXPECT_EQ(read->configuration->cached_keys, std::nullopt);
  EXPECT_EQ(read->configuration->smt_enabled, false);
}

TEST(PckExtension, RefusesEverythingElse) {
  struct {
    const char* what;
    std::function<void(Parts&)> change;
  } const rows[] = {
      {"no PPID", [](Parts& p) { p.top.erase(p.top.begin()); }},
      {"no PCEID", [](Parts& p) { p.top.erase(p.top.begin() + 1); }},
      {"no FMSPC", [](Parts& p) { p.top.erase(p.top.begin() + 2); }},
      {"FMSPC twice", [](Parts& p) { p.top.push_back(p.top[2]); }},
      {"unknown entry twice",
       [](Parts& p) {
         for (int i = 0; i < 2; ++i) p.top.push_back(entry({8}, der(0x05, {})));
       }},
      {"FMSPC of 5 bytes", [](Parts& p) { p.top[2] = entry({4}, der(0x04, Bytes(5, 4))); }},
      {"FMSPC as integer", [](Parts& p) { p.top[2] = entry({4}, der(0x02, Bytes(6, 4))); }},
      {"SGX type as integer", [](Parts& p) { p.top[3] = entry({5}, der(0x02, Bytes{1})); }},
      {"SGX type 3", [](Parts& p) { p.top[3] = entry({5}, der(0x0a, Bytes{3})); }},
      {"component missing", [](Parts& p) { p.tcb.erase(p.tcb.begin() + 7); }},
      {"component twice", [](Parts& p) { p.tcb.push_back(p.tcb[7]); }},
      {"component of 256",
       [](Parts& p) {
         p.tcb[7] = entry({2, 8}, der(0x02, Bytes{0x01, 0x00}));
       }},
      {"negative component",
       [](Parts& p) {
         p.tcb[7] = entry({2, 8}, der(0x02, Bytes{0x80}));
       }},
      {"empty component",
       [](Parts& p) {
         p.tcb[7] = entry({2, 8}, der(0x02, {}));
       }},
      {"component not in its shortest form",
       [](Parts& p) {
         p.tcb[7] = entry({2, 8}, der(0x02, Bytes{0x00, 0x01}));
       }},
      {"huge component",
       [](Parts& p) {
         p.tcb[7] = entry({2, 8}, der(0x02, Bytes(9, 0x7f)));
       }},
      {"PCESVN of 65536",
       [](Parts& p) {
         p.tcb[16] = entry({2, 17}, der(0x02, Bytes{1, 0, 0}));
       }},
      {"CPUSVN of 15 bytes",
       [](Parts& p) {
         p.tcb[17] = entry({2, 18}, der(0x04, Bytes(15, 9)));
       }},
      {"boolean of 1",
       [](Parts& p) {
         p.top.push_back(entry({7}, join({entry({7, 1}, der(0x01, Bytes{1}))})));
       }},
      {"entry of three parts",
       [](Parts& p) {
         p.top.push_back(testing::der_list(0x30, {der(0x06, Bytes{0x2a}), der(0x05, {}), der(0x05, {})}));
       }},
      {"entry without OID", [](Parts& p) { p.top.push_back(der(0x30, der(0x05, {}))); }},
  };
  for (const auto& row : rows) {
    Parts parts;
    row.change(parts);
    EXPECT_FALSE(parse_pck_extension(parts.build())) << row.what;
  }
  Bytes followed = Parts().build();
  followed.push_back(0);
  EXPECT_REFUSED(parse_pck_extension(followed), "SGX extension of the PCK certificate: bytes after its end");
  EXPECT_REFUSED(parse_pck_extension({}), "DER: expected a value, found 0 bytes");
  const Bytes good = Parts().build();
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse_pck_extension(ByteView(good).first(size)));
}

TEST(PckExtension, WithoutAnSgxTypeItIsReadAndFailsItsCheck) {
  Parts parts;
  EXPECT_EQ(check_pck_extension(parse_pck_extension(parts.build())).state, State::kPass);
  parts.top.erase(parts.top.begin() + 3);
  const auto read = parse_pck_extension(parts.build());
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->sgx_type);
  EXPECT_EQ(check_pck_extension(read).state, State::kFail);
  EXPECT_EQ(check_pck_extension(parse_pck_extension({})).state, State::kFail);
}

TEST(GenuinePckExtension, OfEveryRecordedQuote) {
  struct Row {
    const char* file;
    const char* fmspc;
  };
  const std::vector<Row> rows = {
      {"tdx/v4_b0c06f_uptodate.bin", "b0c06f000000"}, {"tdx/v4_90c06f_h200.bin", "90c06f000000"},
      {"tdx/v5_90c06f_outdated.bin", "90c06f000000"}, {"tdx/v5_td15_90c06f.bin", "90c06f000000"},
      {"tdx/v4_50806f_DEBUG.bin", "50806f000000"},    {"tdx/ccel/cos113_quote_8000.bin", "00806f050000"}};
  for (const Row& row : cloister::testing::those_there(rows, [](const Row& one) { return one.file; })) {
    const auto quote = codec::parse_tdx_quote(testing::vector_bytes(row.file));
    ASSERT_TRUE(quote) << row.file;
    const auto chain = crypto::parse_pem_chain(quote->certification_data);
    ASSERT_TRUE(chain);
    const auto read = read_pck_extension(chain->front());
    ASSERT_TRUE(read) << row.file << read.error().message;
    EXPECT_EQ(to_hex(read->fmspc), row.fmspc);
    EXPECT_GE(read->pce_svn, 11) << row.file;
    EXPECT_TRUE(read->sgx_type == 1 || read->sgx_type == 2) << row.file;
    EXPECT_TRUE(read->platform_instance_id && read->configuration) << row.file;
  }
}

}  // namespace
}  // namespace cloister::verify
