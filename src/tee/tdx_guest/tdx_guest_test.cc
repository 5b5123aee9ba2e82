#include "tee/tdx_guest/tdx_guest.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/file.h"
#include "codec/tdx_quote.h"
#include "tee/testing/tee_test_util.h"

namespace cloister::tee {
namespace {

using testing::report_data;

// The device and the host's service, over a socket pair that carries the real bytes.
class TdxGuestTest : public testing::FolderTest {
 protected:
  ~TdxGuestTest() override {
    for (std::thread& thread : services_) thread.join();
  }

  static Result<TdReportBytes> report_of(const evidence::ReportData& data) {
    TdReportBytes report{};
    std::copy(data.begin(), data.end(), report.begin() + 128);
    return report;
  }

  // Returns the frame that answers a request, which must have exactly the right bytes.
  Bytes answer(const Bytes& request) {
    TdReportBytes report{};
    if (request.size() != 24 + report.size()) return {};
    std::copy(request.begin() + 24, request.end(), report.begin());
    const Bytes message = codec::write_qgs_quote_response(*simulator_->quote(report_data_of(report)), error_);
    Bytes framed = {0, 0, static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())};
    append(framed, message);
    return framed;
  }

  Result<int> connect() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return fail(ErrorCode::kInternal, "socketpair");
    services_.emplace_back([this, socket = ends[1]] {
      Bytes request(4 + 24 + 1024);
      std::size_t got = 0;
      while (got < request.size()) {
        const ssize_t more = ::recv(socket, request.data() + got, request.size() - got, 0);
        if (more <= 0) break;
        got += static_cast<std::size_t>(more);
      }
      const Bytes framed = answer(Bytes(request.begin() + 4, request.end()));
      const std::size_t size = cut_ == 0 ? framed.size() : std::min(cut_, framed.size());
      ::send(socket, framed.data(), size, MSG_NOSIGNAL);
      if (silent_) {
        char byte;
        [[maybe_unused]] const ssize_t end = ::recv(socket, &byte, 1, 0);  // until the client gives up
      }
      ::close(socket);
    });
    return ends[0];
  }

  TdxGuestOptions options() {
    TdxGuestOptions options;
    options.timeout_s = 1;
    options.log.ccel_data = folder_ / "CCEL";
    options.log.runtime.register_file = folder_ / "rtmr3";
    options.log.runtime.boot_id_file = folder_ / "boot_id";
    options.take_report = report_of;
    options.connect = [this] { return connect(); };
    return options;
  }

  std::unique_ptr<Tee> simulator_ = testing::make_simulator();
  std::vector<std::thread> services_;
  std::uint32_t error_ = 0;
  std::size_t cut_ = 0;
  bool silent_ = false;
};

TEST_F(TdxGuestTest, AReportBecomesAQuote) {
  const auto tee = make_tdx_guest(options());
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_EQ((*tee)->type(), "insecure_simulator");
  const auto quote = (*tee)->quote(report_data(5));
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(codec::parse_tdx_quote(*quote)->report.report_data, report_data(5));
  EXPECT_EQ((*tee)->derive_key("x").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ((*tee)->extend_event("model", {}).error().code, ErrorCode::kUnsupported);
}

TEST_F(TdxGuestTest, AServiceThatFailsIsToldByItsCode) {
  error_ = 0x12001;
  const auto tee = make_tdx_guest(options());
  ASSERT_FALSE(tee);
  EXPECT_NE(tee.error().message.find("0x12001"), std::string::npos) << tee.error().message;
}

TEST_F(TdxGuestTest, AServiceThatDiesMidAnswerIsAnError) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{4}, std::size_t{100}}) {
    cut_ = cut;
    const auto tee = make_tdx_guest(options());
    ASSERT_FALSE(tee);
    EXPECT_EQ(tee.error().code, ErrorCode::kTeeFailed);
    EXPECT_NE(tee.error().message.find("closed before"), std::string::npos) << tee.error().message;
  }
}

TEST_F(TdxGuestTest, AServiceThatFallsSilentIsATimeout) {
  cut_ = 50;
  silent_ = true;
  EXPECT_EQ(make_tdx_guest(options()).error().code, ErrorCode::kTimeout);
}

TEST_F(TdxGuestTest, ADeviceThatReportsForAnotherIsRefused) {
  TdxGuestOptions other = options();
  other.take_report = [](const evidence::ReportData&) { return report_of(report_data(1)); };
  const auto tee = make_tdx_guest(other);
  ASSERT_FALSE(tee);
  EXPECT_NE(tee.error().message.find("TDREPORT with other report data"), std::string::npos) << tee.error().message;
}

TEST_F(TdxGuestTest, NoDeviceIsNoTee) {
  TdxGuestOptions real = options();
  real.device = folder_ / "tdx_guest";
  real.take_report = {};
  EXPECT_EQ(make_tdx_guest(real).error().code, ErrorCode::kNoTee);
  // A file is no device: the call is refused, with its own number.
  ASSERT_TRUE(write_file_atomically(real.device, "", 0600));
  EXPECT_EQ(make_tdx_guest(real).error().code, ErrorCode::kTeeFailed);
}

TEST_F(TdxGuestTest, ThePortComesFromTheConfiguration) {
  const auto configuration = folder_ / "tdx-attest.conf";
  EXPECT_EQ(configured_port(configuration), 0u);
  const std::pair<const char*, std::uint32_t> cases[] = {
      {"port=4050\n", 4050}, {"# port=1\n port = 77 \n", 77}, {"port=\n", 0},    {"port=x\n", 0},
      {"portal=5\n", 0},     {"port=99999999999\n", 0},       {"x=1\nport=3", 3}};
  for (const auto& [text, port] : cases) {
    ASSERT_TRUE(write_file_atomically(configuration, text, 0600));
    EXPECT_EQ(configured_port(configuration), port) << text;
  }
}

}  // namespace
}  // namespace cloister::tee
