// Server: one upstream: its address, its health, and how busy this node keeps it. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "engine/engine.h"
#include "engine/upstream/identity_maker.h"
#include "engine/upstream/probe.h"
#include "engine/upstream/server_tests.h"
#include "engine/upstream/upstream_options.h"
#include "http/client.h"
#include "http/outgoing.h"

namespace cloister::engine::upstream {

class Server {
 public:
  // `target` is the first answer of the resolver. The other arguments outlive the server.
  Server(http::Url url, http::OutgoingTarget target, const UpstreamOptions& options, IdentityMaker& identities,
         Answers& answers);

  const std::string& name() const { return name_; }  // the URL
  // The head from POST's path on, up to and with the headers that every request has.
  std::string request_head(std::string_view path, const HeaderList& headers, std::size_t body_size) const;
  std::shared_ptr<const http::OutgoingTarget> target() const;

  bool is_up() const { return up_.load(std::memory_order_acquire); }
  // True while it is up where known answers are to be given, since it has given them then.
  bool may_serve() const { return answers_.empty() || is_up(); }
  bool takes_salt() const { return salt_.load(std::memory_order_acquire); }
  bool serves(const std::string& model) const;
  std::shared_ptr<const Findings> findings() const;
  UpstreamState state() const;
  const ServerTests& tests() const { return tests_; }

  std::uint64_t active() const { return active_.load(std::memory_order_relaxed); }
  void request_begun();
  void request_over() { active_.fetch_sub(1, std::memory_order_relaxed); }
  // `gone`: the server accepts no connection. It is down until the watcher has seen it again.
  void count_failure(bool gone);

  // The watcher's loop: checks the server, logs changes, sleeps, until stop().
  void watch();
  void stop();

 private:
  bool is_stopping() const;
  void look();
  void go_up(Findings findings);
  void go_down(const Error& error);
  void resolve_again();

  const http::Url url_;
  const std::string name_;
  const UpstreamOptions& options_;
  IdentityMaker& identities_;
  Answers& answers_;
  const http::Client client_;
  const http::Client test_client_;  // waits longer
  ServerTests tests_;
  const std::string fixed_headers_;
  std::atomic<bool> up_{false};
  std::atomic<bool> salt_;
  std::atomic<std::uint64_t> active_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> failures_{0};
  mutable std::mutex mutex_;  // guards everything below
  std::shared_ptr<const http::OutgoingTarget> target_;
  std::shared_ptr<const Findings> findings_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool look_now_ = false;
  bool told_down_ = false;
};

// The paths of the API that are probed, in the form that requests use.
std::vector<std::string_view> probed_paths();

}  // namespace cloister::engine::upstream
