#include "tee/simulator/simulator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/tdx_quote.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "evidence/simulator_roots.h"

namespace cloister::tee {
namespace {

constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01

std::unique_ptr<Tee> make(std::uint8_t mark = 1, const std::string& app_name = "cloister") {
  SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, mark));
  options.app_name = app_name;
  auto tee = make_insecure_simulator(std::move(options));
  EXPECT_TRUE(tee) << tee.error().message;
  return std::move(*tee);
}

evidence::ReportData report_data(std::uint8_t mark) {
  evidence::ReportData data;
  data.fill(mark);
  return data;
}

codec::TdxQuote quote_of(Tee& tee, std::uint8_t mark = 7) {
  const auto bytes = tee.quote(report_data(mark));
  EXPECT_TRUE(bytes);
  auto quote = codec::parse_tdx_quote(*bytes);
  EXPECT_TRUE(quote) << quote.error().message;
  return *quote;
}

TEST(TeeSimulator, SaysWhatItIs) {
  const auto tee = make();
  EXPECT_EQ(tee->type(), "insecure_simulator");
  const codec::TdxQuote quote = quote_of(*tee);
  EXPECT_EQ(as_text(quote.user_data), std::string_view("INSECURE SIMULATOR\0\0", 20));
  const auto chain = crypto::parse_pem_chain(quote.certification_data);
  ASSERT_TRUE(chain) << chain.error().message;
  ASSERT_EQ(chain->size(), 3u);
  for (const crypto::Certificate& certificate : *chain) {
    EXPECT_TRUE(certificate.subject_common_name().starts_with("INSECURE SIMULATOR "));
  }
}

TEST(TeeSimulator, AQuoteHoldsAsATrueOneDoes) {
  const auto tee = make();
  const codec::TdxQuote quote = quote_of(*tee, 9);
  EXPECT_EQ(quote.version, 4);
  EXPECT_EQ(quote.report.report_data, report_data(9));
  const auto chain = crypto::parse_pem_chain(quote.certification_data);
  const auto roots = crypto::parse_pem_chain(as_bytes(evidence::simulator_cpu_root_pem()));
  const auto valid = crypto::verify_certificate_chain(*chain, roots->front(), crypto::Curve::kP256, kTime);
  EXPECT_TRUE(valid) << valid.error().message;
  EXPECT_TRUE(crypto::verify_ecdsa(crypto::Curve::kP256, *chain->front().ec_public_point(), quote.qe_report_bytes,
                                   quote.qe_report_signature));
  EXPECT_TRUE(crypto::verify_ecdsa(crypto::Curve::kP256, quote.attestation_key, quote.signed_region, quote.signature));
  Bytes bound(quote.attestation_key.begin(), quote.attestation_key.end());
  append(bound, quote.qe_authentication_data);
  EXPECT_TRUE(equal(crypto::sha256(bound), ByteView(quote.qe_report.report_data).first(32)));
  EXPECT_EQ(quote.qe_report.isv_prod_id, 2);
  EXPECT_EQ(quote.qe_report.attributes[0] & 0x02, 0) << "DEBUG";
  EXPECT_EQ(to_hex(quote.report.td_attributes), "0000001000000000");
  EXPECT_EQ(to_hex(quote.report.xfam), "e702060000000000");
  EXPECT_EQ(quote.report.mr_td, crypto::sha384(as_bytes("cloister insecure simulator mr_td")));
}

TEST(TeeSimulator, PckLeafCarriesTheSgxExtension) {
  const auto tee = make();
  const auto chain = crypto::parse_pem_chain(quote_of(*tee).certification_data);
  const auto extension = chain->front().extension("1.2.840.113741.1.13.1");
  ASSERT_TRUE(extension);
  const std::string hex = to_hex(*extension);
  // FMSPC, OID suffix .4: 00514d000000; SGX type, .5: 1; PCESVN, .2.17: 13.
  EXPECT_NE(hex.find("060a2a864886f84d010d01040406"
                     "00514d000000"),
            std::string::npos)
      << hex;
  EXPECT_NE(hex.find("060a2a864886f84d010d01050a0101"), std::string::npos) << hex;
  EXPECT_NE(hex.find("060b2a864886f84d010d01021102010d"), std::string::npos) << hex;
}

TEST(TeeSimulator, TheLogReplaysToAllFourRegisters) {
  const auto tee = make();
  const codec::TdxQuote quote = quote_of(*tee);
  ByteArray<48> replay[4]{};
  const auto events = tee->event_log();
  ASSERT_TRUE(events);
  for (const evidence::Event& event : *events) replay[event.imr] = evidence::extend(replay[event.imr], event.digest);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(replay[i], quote.report.rtmr[i]) << "RTMR" << i;
    EXPECT_NE(replay[i], ByteArray<48>{}) << "RTMR" << i;
  }
}

TEST(TeeSimulator, RuntimeEventsAreInBootOrderWithTrueDigests) {
  const auto events = make()->event_log();
  std::vector<std::string> names;
  for (const evidence::Event& event : *events) {
    if (event.imr != 3) continue;
    names.push_back(event.name);
    EXPECT_EQ(event.digest, evidence::runtime_event_digest(event.name, event.payload)) << event.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"system-preparing", "app-id", "compose-hash", "instance-id",
                                             "boot-mr-done", "os-image-hash", "key-provider", "system-ready"}));
}

TEST(TeeSimulator, InfoAgreesWithTheQuote) {
  const auto tee = make(1, R"(an "app")");
  const codec::TdxQuote quote = quote_of(*tee);
  const auto info = tee->info();
  ASSERT_TRUE(info);
  const Json& tcb = info->info["tcb_info"];
  EXPECT_EQ(tcb["mrtd"], to_hex(quote.report.mr_td));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(tcb["rtmr" + std::to_string(i)], to_hex(quote.report.rtmr[i]));
  const auto compose_hash = crypto::sha256(as_bytes(tcb["app_compose"].get<std::string>()));
  EXPECT_EQ(tcb["compose_hash"], to_hex(compose_hash));
  EXPECT_EQ(info->info["app_id"], to_hex(ByteView(compose_hash).first(20)));
  EXPECT_EQ(info->info["app_name"], R"(an "app")");
  EXPECT_EQ(to_hex(quote.report.mr_config_id), "01" + to_hex(compose_hash) + std::string(30, '0'));
  EXPECT_EQ(tcb["event_log"].size(), tee->event_log()->size());
  for (const char* name : {"instance_id", "app_cert", "key_provider_info", "vm_config", "device_id", "os_image_hash"}) {
    EXPECT_TRUE(info->info.contains(name)) << name;
  }
  EXPECT_EQ(info->info["vm_config"], info->vm_config);
  EXPECT_TRUE(crypto::parse_pem_chain(as_bytes(info->info["app_cert"].get<std::string>())));
}

TEST(TeeSimulator, TheSameSeedIsTheSameMachine) {
  const auto first = make(1), again = make(1), other = make(2);
  EXPECT_EQ(*first->quote(report_data(1)), *again->quote(report_data(1)));
  EXPECT_EQ(first->info()->info, again->info()->info);
  EXPECT_NE(quote_of(*first).attestation_key, quote_of(*other).attestation_key);
  EXPECT_NE(first->info()->info["instance_id"], other->info()->info["instance_id"]);
  EXPECT_EQ(to_hex(first->derive_key("a")->expose()), to_hex(again->derive_key("a")->expose()));
  EXPECT_NE(to_hex(first->derive_key("a")->expose()), to_hex(other->derive_key("a")->expose()));
  EXPECT_NE(to_hex(first->derive_key("a")->expose()), to_hex(first->derive_key("b")->expose()));
  EXPECT_EQ(first->derive_key("a")->size(), 32u);
}

TEST(TeeSimulator, QuotesFromManyThreadsAtOnce) {
  const auto tee = make();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (std::uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        const auto bytes = tee->quote(report_data(t));
        const auto quote = codec::parse_tdx_quote(*bytes);
        right +=
            quote && quote->report.report_data == report_data(t) &&
            crypto::verify_ecdsa(crypto::Curve::kP256, quote->attestation_key, quote->signed_region, quote->signature);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 80);
}

TEST(TeeSimulator, AnEventIsMeasured) {
  const auto tee = make();
  const std::size_t before = tee->event_log()->size();
  ASSERT_TRUE(tee->extend_event("model", as_bytes("digest")));
  const auto events = tee->event_log();
  ASSERT_EQ(events->size(), before + 1);
  EXPECT_EQ(events->back().digest, evidence::runtime_event_digest("model", as_bytes("digest")));
  ByteArray<48> replayed{};
  for (const evidence::Event& event : *events) {
    if (event.imr == 3) replayed = evidence::extend(replayed, event.digest);
  }
  EXPECT_EQ(quote_of(*tee).report.rtmr[3], replayed);
  const Json tcb = tee->info()->info["tcb_info"];
  EXPECT_EQ(tcb["rtmr3"], to_hex(replayed));
  EXPECT_EQ(tcb["event_log"].size(), events->size());
  // After the machine's next start the event is gone.
  EXPECT_EQ(make()->event_log()->size(), before);
}

TEST(TeeSimulator, EventsOfTheBootAndOddOnesAreRefused) {
  const auto tee = make();
  for (const char* name : {"compose-hash", "gpu-policy-hash", "init-script-hash", "system-ready"}) {
    EXPECT_EQ(tee->extend_event(name, {}).error().code, ErrorCode::kUsage) << name;
  }
  EXPECT_EQ(tee->extend_event("a:b", {}).error().code, ErrorCode::kUsage);
  EXPECT_EQ(tee->extend_event("a", Bytes(65537)).error().code, ErrorCode::kTooLarge);
}

TEST(TeeSimulator, AShortSeedIsAnError) {
  SimulatorOptions options;
  options.seed = SecretBytes(Bytes(31, 1));
  EXPECT_REFUSED(make_insecure_simulator(std::move(options)), "the simulator's seed must be 32 bytes, not 31");
}

}  // namespace
}  // namespace cloister::tee
