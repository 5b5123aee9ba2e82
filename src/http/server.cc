#include "http/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "http/listener.h"
#include "http/server_loop.h"
#include "http/server_shared.h"
#include "net/loop.h"

namespace cloister::http {
namespace {

// Descriptors that are reserved for everything but clients, where there are few: the store, the model, other servers.
constexpr std::size_t kReserved = 256;

// Ten thousand idle clients need ten thousand descriptors, and the usual soft limit is 1,024. Returns the limit in force.
std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return static_cast<std::size_t>(limit.rlim_cur);
}

// The options with the limits that this process can keep.
ServerOptions kept_options(ServerOptions options) {
  const std::size_t descriptors = raise_descriptor_limit();
  const std::size_t left = descriptors - std::min(kReserved, descriptors / 2);
  options.max_connections = std::min(options.max_connections, std::max<std::size_t>(left / 9 * 8, 1));
  if (options.max_connections_of_address == 0)
    options.max_connections_of_address = (options.max_connections * 3 + 3) / 4;
  return options;
}

std::size_t thread_count(const ServerOptions& options) {
  if (options.threads > 0) return static_cast<std::size_t>(options.threads);
  return std::max<std::size_t>(1, std::thread::hardware_concurrency() / 4);
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, Handler& handler) : shared_(kept_options(options), handler) {}
  ~ServerImpl() override { stop(0); }

  Result<void> open() {
    if (shared_.options.tls != nullptr) {
      TRY(tls, net::make_server_tls(*shared_.options.tls));
      shared_.tls = std::shared_ptr<SSL_CTX>(std::move(tls));
    }
    for (std::size_t i = 0; i < thread_count(shared_.options); ++i) add_loop();
    TRY(listener, Listener::open(shared_, parts_));
    listener_ = std::move(listener);
    for (auto& loop : loops_) loop->start_thread();
    listener_->start();
    return {};
  }

  std::uint16_t port() const override { return listener_->port(); }

  ServerStats stats() const override {
    ServerStats stats;
    stats.connections_open = shared_.connections_open.load(std::memory_order_relaxed);
    stats.connections_total = shared_.connections_total.load(std::memory_order_relaxed);
    stats.requests_total = shared_.requests_total.load(std::memory_order_relaxed);
    return stats;
  }

  Result<void> set_tls(const net::TlsIdentity& identity) override {
    if (shared_.options.tls == nullptr) return fail(ErrorCode::kUsage, "this server speaks no TLS");
    TRY(tls, net::make_server_tls(identity));
    shared_.tls = std::shared_ptr<SSL_CTX>(std::move(tls));
    return {};
  }

  void stop(int grace_s) override {
    if (stopped_ || listener_ == nullptr) return;
    stopped_ = true;
    listener_->close();
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t running = parts_.size();
    for (ServerLoop* part : parts_) {
      part->drain([&] {
        const std::lock_guard lock(mutex);
        --running;
        changed.notify_one();
      });
    }
    {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, std::chrono::seconds(grace_s), [&] { return running == 0; });
    }
    for (auto& loop : loops_) loop->stop();
  }

 private:
  void add_loop() {
    auto loop = std::make_unique<net::Loop>();
    auto part = std::make_unique<ServerLoop>(*loop, shared_);
    parts_.push_back(part.get());
    loop->add(std::move(part));
    loops_.push_back(std::move(loop));
  }

  ServerShared shared_;
  std::vector<std::unique_ptr<net::Loop>> loops_;
  std::vector<ServerLoop*> parts_;      // one on each loop
  std::unique_ptr<Listener> listener_;  // destroyed before the loops: its socket lives on the first one
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler& handler) {
  auto server = std::make_unique<ServerImpl>(options, handler);
  TRY_VOID(server->open());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace cloister::http
