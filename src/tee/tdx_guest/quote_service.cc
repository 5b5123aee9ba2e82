#include "tee/tdx_guest/quote_service.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/file_descriptor.h"

namespace cloister::tee {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr std::size_t kReportDataOffset = 128;  // in REPORTMACSTRUCT, with which a TDREPORT begins

// struct tdx_report_req, and the number of the call: read and write, 1088 bytes, 'T', 1.
struct ReportRequest {
  std::uint8_t report_data[64];
  std::uint8_t td_report[codec::kTdReportSize];
};
static_assert(sizeof(ReportRequest) == 1088);
constexpr unsigned long kGetReport0 = _IOWR('T', 1, ReportRequest);
static_assert(kGetReport0 == 0xc4405401);

SteadyTime deadline_in(int seconds) { return std::chrono::steady_clock::now() + std::chrono::seconds(seconds); }

Error service_error(const std::string& what) {
  return fail(ErrorCode::kTeeFailed, "the quote generation service " + what);
}

Result<void> wait_for(int socket, short events, SteadyTime deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return fail(ErrorCode::kTimeout, "the quote generation service did not answer in time");
    pollfd waited{socket, events, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(left.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return service_error(std::string("cannot be waited for: ") + strerror(errno));
  }
}

Result<void> send_all(int socket, ByteView bytes, SteadyTime deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      TRY_VOID(wait_for(socket, POLLOUT, deadline));
    } else {
      return service_error(std::string("takes no request: ") + strerror(errno));
    }
  }
  return {};
}

Result<void> receive_all(int socket, std::span<std::uint8_t> into, SteadyTime deadline) {
  while (!into.empty()) {
    const ssize_t got = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
      into = into.subspan(static_cast<std::size_t>(got));
    } else if (got == 0) {
      return service_error("closed before its answer was complete");
    } else if (errno == EAGAIN || errno == EINTR) {
      TRY_VOID(wait_for(socket, POLLIN, deadline));
    } else {
      return service_error(std::string("broke off: ") + strerror(errno));
    }
  }
  return {};
}

}  // namespace

Result<TdReportBytes> take_td_report(const std::filesystem::path& device, const evidence::ReportData& report_data) {
  const FileDescriptor file(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) {
    return fail(errno == ENOENT ? ErrorCode::kNoTee : ErrorCode::kTeeFailed,
                "cannot open " + device.string() + ": " + strerror(errno), device.string());
  }
  ReportRequest request{};
  std::copy(report_data.begin(), report_data.end(), request.report_data);
  if (::ioctl(file.get(), kGetReport0, &request) != 0) {
    return fail(ErrorCode::kTeeFailed, device.string() + " gives no TDREPORT: " + strerror(errno), device.string());
  }
  TdReportBytes report;
  std::copy(std::begin(request.td_report), std::end(request.td_report), report.begin());
  return report;
}

evidence::ReportData report_data_of(const TdReportBytes& report) {
  evidence::ReportData out;
  std::copy_n(report.begin() + kReportDataOffset, out.size(), out.begin());
  return out;
}

Result<int> connect_quote_service(std::uint32_t port, int timeout_s) {
  FileDescriptor socket(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return fail(ErrorCode::kNoTee, std::string("this kernel has no vsock: ") + strerror(errno));
  const timeval limit{timeout_s, 0};
  ::setsockopt(socket.get(), AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit, sizeof(limit));
  sockaddr_vm address{};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_HOST;
  address.svm_port = port;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail(ErrorCode::kNoTee, "no quote generation service at the host's vsock port " + std::to_string(port) +
                                       ": " + strerror(errno));
  }
  return socket.release();
}

Result<Bytes> ask_quote_service(int socket, const TdReportBytes& report, int timeout_s) {
  const FileDescriptor owned(socket);
  const SteadyTime deadline = deadline_in(timeout_s);
  const Bytes request = codec::write_qgs_quote_request(report);
  const auto size = static_cast<std::uint32_t>(request.size());
  Bytes framed = {static_cast<std::uint8_t>(size >> 24), static_cast<std::uint8_t>(size >> 16),
                  static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
  append(framed, request);
  TRY_VOID(send_all(socket, framed, deadline));
  ByteArray<4> prefix;
  TRY_VOID(receive_all(socket, prefix, deadline));
  const std::uint32_t answer_size =
      static_cast<std::uint32_t>(prefix[0]) << 24 | prefix[1] << 16 | prefix[2] << 8 | prefix[3];
  if (answer_size > codec::kQgsMostMessage) {
    return service_error("announced an answer of " + std::to_string(answer_size) + " bytes");
  }
  Bytes answer(answer_size);
  TRY_VOID(receive_all(socket, answer, deadline));
  Result<Bytes> quote = codec::parse_qgs_quote_response(answer);
  if (!quote) return fail(ErrorCode::kTeeFailed, quote.error().message);
  return quote;
}

std::uint32_t configured_port(const std::filesystem::path& configuration) {
  const Result<std::string> text = read_file(configuration, 64u << 10);
  if (!text) return 0;
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::string packed;
    std::copy_if(line.begin(), line.end(), std::back_inserter(packed), [](char c) { return c > ' '; });
    if (!packed.starts_with("port=")) continue;
    std::uint32_t port = 0;
    const char* const end = packed.data() + packed.size();
    const auto [stop, error] = std::from_chars(packed.data() + 5, end, port);
    return error == std::errc() && stop == end ? port : 0;
  }
  return 0;
}

}  // namespace cloister::tee
