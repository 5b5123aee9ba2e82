// bench_source is the engine of the arms `direct` and `nginx`. It answers every POST with fixed bytes; see
// bench/README.md.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <functional>
#include <iostream>

#include "source/session.h"

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

void accept_next(asio::ip::tcp::acceptor& acceptor, const cloister::bench::SourceReplies& replies) {
  acceptor.async_accept([&](error_code error, asio::ip::tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<cloister::bench::Session>(std::move(socket), replies)->start();
    accept_next(acceptor, replies);
  });
}

int serve(std::uint16_t port, const cloister::bench::SourceOptions& options) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  prctl(PR_SET_TIMERSLACK, 1);
  const cloister::bench::SourceReplies replies(options);
  asio::io_context context(1);
  asio::ip::tcp::acceptor acceptor(context);
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  error_code error;
  acceptor.open(endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(4096, error);
  if (error) {
    std::cerr << "bench_source: cannot listen on 127.0.0.1:" << port << ": " << error.message() << "\n";
    return 1;
  }
  asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](error_code, int) { context.stop(); });
  accept_next(acceptor, replies);
  std::cout << "listening on http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Answers every request with fixed bytes: the source behind the arms direct and nginx.");
  cloister::bench::SourceOptions options;
  std::uint16_t port = 0;
  std::int64_t gap_us = 20000;
  std::int64_t first_us = 0;
  app.add_option("--port", port, "on 127.0.0.1; 0 = any free port");
  app.add_option("--reply-bytes", options.reply_bytes, "body of a buffered reply");
  app.add_option("--event-bytes", options.event_bytes, "one streamed event with its framing");
  app.add_option("--events", options.events, "events of a stream");
  app.add_option("--gap-us", gap_us, "between two events");
  app.add_option("--first-us", first_us, "before the first event");
  CLI11_PARSE(app, argc, argv);
  options.gap = std::chrono::microseconds(gap_us);
  options.first_event = std::chrono::microseconds(first_us);
  return serve(port, options);
}
