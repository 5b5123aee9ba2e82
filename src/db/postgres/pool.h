// The connections of one user to one server: made when needed, kept, and replaced when the server went away.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "db/postgres/connection.h"

namespace cloister::db::postgres {

class Pool {
 public:
  Pool(std::filesystem::path file, Durability durability) : file_(std::move(file)), durability_(durability) {}

  // Calls `work` with a connection of its own, and again with another one as long as that is worth a try and begins
  // within `patience_ms`. So `work` may run twice, and everything in it has to tolerate that. Any thread.
  template <typename Work>
  auto with(std::int64_t patience_ms, Work work) -> decltype(work(std::declval<Connection&>())) {
    const std::int64_t deadline_ms = now_ms() + patience_ms;
    for (int attempt = 0;; ++attempt) {
      bool again = true;
      Result<std::unique_ptr<Connection>> connection = take(deadline_ms);
      if (connection) {
        auto answer = work(**connection);
        again = !answer && (*connection)->worth_another_try();
        give_back(*std::move(connection), !answer);
        if (!again || !pause(attempt, deadline_ms)) return answer;
      } else if (connection.error().code == ErrorCode::kUsage || !pause(attempt, deadline_ms)) {
        return std::move(connection).error();
      }
    }
  }

 private:
  static std::int64_t now_ms();
  // Waits between two attempts; returns false when the time for another one is over.
  static bool pause(int attempt, std::int64_t deadline_ms);
  Result<std::unique_ptr<Connection>> take(std::int64_t deadline_ms);
  // After one connection was lost, the others that were idle in the meantime are not trusted.
  void give_back(std::unique_ptr<Connection> connection, bool failed);

  const std::filesystem::path file_;
  const Durability durability_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t lent_ = 0;
};

}  // namespace cloister::db::postgres
