#include "gpu/simulator/simulator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/result_testing.h"
#include "codec/spdm.h"
#include "crypto/x509.h"
#include "evidence/simulator_roots.h"

namespace cloister::gpu {
namespace {

constexpr UnixSeconds kTime = 1780272000;  // 2026-06-01

std::unique_ptr<GpuEvidenceSource> make(int devices, std::uint8_t mark = 1) {
  auto source = make_insecure_simulator({SecretBytes(Bytes(32, mark)), devices});
  EXPECT_TRUE(source) << source.error().message;
  return std::move(*source);
}

ByteArray<32> nonce(std::uint8_t mark) {
  ByteArray<32> out;
  out.fill(mark);
  return out;
}

TEST(GpuSimulator, AReportHoldsAsATrueOneDoes) {
  const auto source = make(1);
  EXPECT_EQ(source->type(), "insecure_simulator");
  const auto evidence = source->collect(nonce(5));
  ASSERT_TRUE(evidence);
  ASSERT_EQ(evidence->size(), 1u);
  EXPECT_EQ(evidence->front().arch, "HOPPER");
  const auto report = codec::parse_spdm_report(evidence->front().report);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->request_nonce, nonce(5));
  ASSERT_EQ(report->measurements.size(), 64u);
  for (const codec::SpdmMeasurement& measurement : report->measurements) EXPECT_EQ(measurement.value.size(), 48u);
  EXPECT_EQ(report->opaque_text(codec::OpaqueField::kDriverVersion), "550.144.03");
  const auto chain = crypto::parse_pem_chain(as_bytes(evidence->front().certificate_chain_pem));
  ASSERT_TRUE(chain) << chain.error().message;
  ASSERT_EQ(chain->size(), 5u);
  for (const crypto::Certificate& certificate : *chain) {
    EXPECT_TRUE(certificate.subject_common_name().starts_with("INSECURE SIMULATOR "));
  }
  const auto roots = crypto::parse_pem_chain(as_bytes(evidence::simulator_gpu_root_pem()));
  const auto valid = crypto::verify_certificate_chain(*chain, roots->front(), crypto::Curve::kP384, kTime);
  EXPECT_TRUE(valid) << valid.error().message;
  EXPECT_TRUE(crypto::verify_ecdsa(crypto::Curve::kP384, *chain->front().ec_public_point(), report->signed_region,
                                   report->signature));
  const auto extension = chain->front().extension("2.23.133.5.4.1");
  ASSERT_TRUE(extension);
  EXPECT_EQ(Bytes(extension->end() - 48, extension->end()),
            report->opaque.at(static_cast<std::uint16_t>(codec::OpaqueField::kFwid)));
}

TEST(GpuSimulator, DevicesAreDistinctAndStayTheSame) {
  const auto evidence = *make(8)->collect(nonce(1));
  const auto again = *make(8)->collect(nonce(2));
  ASSERT_EQ(evidence.size(), 8u);
  std::set<Bytes> keys, devices, responder_nonces;
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const auto chain = crypto::parse_pem_chain(as_bytes(evidence[i].certificate_chain_pem));
    keys.insert((*chain)[0].subject_public_key_info());
    devices.insert((*chain)[1].der());
    const auto report = codec::parse_spdm_report(evidence[i].report);
    responder_nonces.insert(Bytes(report->responder_nonce.begin(), report->responder_nonce.end()));
    EXPECT_EQ(evidence[i].certificate_chain_pem, again[i].certificate_chain_pem);
    EXPECT_NE(evidence[i].report, again[i].report);
  }
  EXPECT_EQ(keys.size(), 8u);
  EXPECT_EQ(devices.size(), 8u);
  EXPECT_EQ(responder_nonces.size(), 8u);
  EXPECT_NE(make(1, 1)->collect(nonce(1))->front().certificate_chain_pem,
            make(1, 2)->collect(nonce(1))->front().certificate_chain_pem);
}

TEST(GpuSimulator, CallersFromManyThreadsEachGetTheirNonce) {
  const auto source = make(2);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const auto evidence = source->collect(nonce(t));
        for (const auto& device : *evidence) {
          const auto report = codec::parse_spdm_report(device.report);
          right += report && report->request_nonce == nonce(t);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4 * 5 * 2);
}

TEST(GpuSimulator, WrongOptionsAreErrors) {
  EXPECT_REFUSED(make_insecure_simulator({SecretBytes(Bytes(16, 1)), 1}),
                 "the simulator's seed must be 32 bytes, not 16");
  EXPECT_REFUSED(make_insecure_simulator({SecretBytes(Bytes(32, 1)), 0}), "the simulator has 1 to 8 GPUs, not 0");
  EXPECT_REFUSED(make_insecure_simulator({SecretBytes(Bytes(32, 1)), 9}), "the simulator has 1 to 8 GPUs, not 9");
}

}  // namespace
}  // namespace cloister::gpu
