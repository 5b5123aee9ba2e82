// ConnectionHost: what the connections of one server on one loop need of the place where they live. Loop thread only.
#pragma once

#include <string_view>

#include "http/response_writer.h"
#include "http/server_shared.h"
#include "http/waiting_connections.h"
#include "net/loop.h"

namespace cloister::http {

class Connection;

class ConnectionHost {
 public:
  ConnectionHost(net::Loop& loop, ServerShared& shared) : loop_(loop), shared_(shared) {}
  net::Loop& loop() { return loop_; }
  ServerShared& shared() { return shared_; }
  WaitingConnections& waiting() { return waiting_; }
  std::string_view date() { return date_.now(); }
  // The server is about to stop: no connection takes another request.
  bool draining() const { return draining_; }
  // Called by a connection that has closed.
  virtual void remove(Connection& connection) = 0;

 protected:
  ~ConnectionHost() = default;
  void begin_draining() { draining_ = true; }

 private:
  net::Loop& loop_;
  ServerShared& shared_;
  WaitingConnections waiting_;
  DateCache date_;
  bool draining_ = false;
};

}  // namespace cloister::http
