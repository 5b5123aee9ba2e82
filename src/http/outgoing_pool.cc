#include "http/outgoing_pool.h"

#include <algorithm>
#include <exception>

namespace cloister::http {

std::vector<std::shared_ptr<OutgoingConnection>>& OutgoingPool::idle_of(const OutgoingTarget* target) {
  for (Idle& idle : idle_) {
    if (idle.target == target) return idle.connections;
  }
  // Targets that nobody uses any more are dropped with their last connection.
  std::erase_if(idle_, [](const Idle& idle) { return idle.connections.empty(); });
  return idle_.emplace_back(Idle{target, {}}).connections;
}

std::shared_ptr<OutgoingConnection> OutgoingPool::take_idle(const OutgoingTarget* target) {
  auto& idle = idle_of(target);
  if (idle.empty()) return nullptr;
  std::shared_ptr<OutgoingConnection> connection = std::move(idle.back());
  idle.pop_back();
  return connection;
}

std::shared_ptr<OutgoingConnection> OutgoingPool::make(const std::shared_ptr<const OutgoingTarget>& target) {
  try {
    auto connection = std::make_shared<OutgoingConnection>(loop_, static_cast<OutgoingKeeper&>(*this), target);
    connections_.push_back(*connection);
    return connection;
  } catch (const std::exception&) {
    return nullptr;
  }
}

std::shared_ptr<OutgoingCall> OutgoingPool::send(OutgoingRequest request, std::shared_ptr<OutgoingSink> sink) {
  std::shared_ptr<OutgoingConnection> connection;
  if (!request.fresh_connection) connection = take_idle(request.target.get());
  if (connection == nullptr) connection = make(request.target);
  if (connection == nullptr) {
    sink->on_failed(OutgoingFailure::kConnect,
                    cloister::fail(ErrorCode::kNetwork, "no memory for a connection to " + request.target->name));
    return nullptr;
  }
  return connection->begin(std::move(request), std::move(sink));
}

void OutgoingPool::keep(std::shared_ptr<OutgoingConnection> connection) {
  auto& idle = idle_of(connection->target());
  if (idle.size() < kMaxIdle) return idle.push_back(std::move(connection));
  connection->close();
}

void OutgoingPool::remove(OutgoingConnection& connection, bool idle) {
  if (connection.is_linked()) connections_.erase(connections_.iterator_to(connection));
  if (!idle) return;
  auto& waiting = idle_of(connection.target());
  std::erase_if(waiting, [&](const auto& one) { return one.get() == &connection; });
}

void OutgoingPool::on_tick() {
  // Informing a sink can end other connections too, so iterate over a copy that holds references.
  std::vector<std::shared_ptr<OutgoingConnection>> now;
  for (OutgoingConnection& connection : connections_) now.push_back(connection.shared_from_this());
  for (const auto& connection : now) connection->on_tick();
}

void OutgoingPool::on_end() {
  while (!connections_.empty()) connections_.front().close();
}

std::shared_ptr<OutgoingCall> send(net::Loop& loop, OutgoingRequest request, std::shared_ptr<OutgoingSink> sink) {
  auto* pool = loop.find<OutgoingPool>();
  if (pool == nullptr) {
    auto added = std::make_unique<OutgoingPool>(loop);
    pool = added.get();
    loop.add(std::move(added));
  }
  return pool->send(std::move(request), std::move(sink));
}

}  // namespace cloister::http
