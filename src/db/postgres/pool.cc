#include "db/postgres/pool.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace cloister::db::postgres {
namespace {

constexpr std::size_t kMostConnections = 5;  // for one pool, since a server has a hundred for everybody

}  // namespace

std::int64_t Pool::now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool Pool::pause(int attempt, std::int64_t deadline_ms) {
  const std::int64_t left = deadline_ms - now_ms();
  if (left <= 0) return false;
  std::this_thread::sleep_for(
      std::chrono::milliseconds(std::min<std::int64_t>(left, std::min(20 << std::min(attempt, 5), 500))));
  return true;
}

Result<std::unique_ptr<Connection>> Pool::take(std::int64_t deadline_ms) {
  {
    std::unique_lock lock(mutex_);
    const auto until = std::chrono::steady_clock::time_point(std::chrono::milliseconds(deadline_ms));
    if (!free_.wait_until(lock, until, [&] { return lent_ < kMostConnections; })) {
      return fail(ErrorCode::kStoreFailed, "every connection to PostgreSQL is in use");
    }
    ++lent_;
    if (!idle_.empty()) {
      std::unique_ptr<Connection> one = std::move(idle_.back());
      idle_.pop_back();
      one->forget_errors();
      return one;
    }
  }
  Result<std::unique_ptr<Connection>> made = Connection::open(file_, durability_);
  if (!made) give_back(nullptr, true);
  return made;
}

void Pool::give_back(std::unique_ptr<Connection> connection, bool failed) {
  std::vector<std::unique_ptr<Connection>> closed;  // destroyed outside the lock
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    const bool usable = connection && !connection->broken() && !connection->in_transaction();
    if (usable) {
      idle_.push_back(std::move(connection));
    } else {
      closed.push_back(std::move(connection));
      if (failed) std::move(idle_.begin(), idle_.end(), std::back_inserter(closed)), idle_.clear();
    }
  }
  free_.notify_one();
}

}  // namespace cloister::db::postgres
