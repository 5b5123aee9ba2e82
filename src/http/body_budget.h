// BodyBudget: limits the bytes of request bodies in memory, for all clients together and for each. The first kilobytes
// of a body are free, since the number of connections bounds them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace cloister::http {

class BodyBudget {
 public:
  static constexpr std::uint64_t kFreeBytes = 16u << 10;

  BodyBudget(std::uint64_t in_all, std::uint64_t of_client) : in_all_(in_all), of_client_(of_client) {}

  // The bytes that one body has taken; its destructor gives them back. One thread at a time.
  class Hold {
   public:
    Hold(std::shared_ptr<BodyBudget> budget, std::string client)
        : budget_(std::move(budget)), client_(std::move(client)) {}
    ~Hold() { budget_->give_back(client_, bytes_); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    // Says that the body has `bytes` by now. Returns false when there is no room for them.
    [[nodiscard]] bool grow(std::uint64_t bytes);

   private:
    const std::shared_ptr<BodyBudget> budget_;
    const std::string client_;
    std::uint64_t bytes_ = 0;
  };

  std::uint64_t bytes() const;

 private:
  bool take(const std::string& client, std::uint64_t bytes);
  void give_back(const std::string& client, std::uint64_t bytes);

  const std::uint64_t in_all_, of_client_;
  mutable std::mutex mutex_;
  std::uint64_t bytes_ = 0;
  std::map<std::string, std::uint64_t> by_client_;
};

}  // namespace cloister::http
