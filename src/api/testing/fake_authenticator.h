// For tests: an authenticator that knows the tokens that it is told, and that answers at once or when the test wants.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "api/authenticator.h"

namespace cloister::api::testing {

inline Owner test_owner(std::uint8_t number) {
  Owner owner{};
  owner.fill(number);
  return owner;
}

class FakeAuthenticator final : public Authenticator {
 public:
  void know(const std::string& token, const Owner& owner) {
    change([&] { owners_["Bearer " + token] = owner; });
  }
  void forget(const std::string& token) {
    change([&] { owners_.erase("Bearer " + token); });
  }
  // From now on questions wait for answer().
  void answer_later() {
    const std::lock_guard lock(mutex_);
    later_ = true;
  }

  void authenticate(const http::RequestHead& head, Done& done) override {
    std::unique_lock lock(mutex_);
    const std::string token(head.header("authorization").value_or(""));
    ++asked_;
    if (later_) {
      waiting_.push_back({token, done.later()});
      changed_.notify_all();
      return;
    }
    const std::optional<Owner> owner = find(token);
    lock.unlock();
    done.now(owner);
  }
  std::uint64_t version() const override {
    const std::lock_guard lock(mutex_);
    return version_;
  }

  // Waits for this many questions without an answer; false when they do not come within 10 s.
  bool wait_for(std::size_t questions) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return waiting_.size() >= questions; });
  }
  // Answers everything that waits, on the thread of the caller.
  void answer() {
    std::vector<std::pair<std::optional<Owner>, Done::Later>> ready;
    {
      const std::lock_guard lock(mutex_);
      for (Waiting& one : waiting_) ready.emplace_back(find(one.token), std::move(one.later));
      waiting_.clear();
    }
    for (const auto& [owner, later] : ready) later(owner);
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  struct Waiting {
    std::string token;
    Done::Later later;
  };
  template <typename Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    ++version_;
  }
  std::optional<Owner> find(const std::string& token) const {
    const auto found = owners_.find(token);
    return found == owners_.end() ? std::nullopt : std::optional(found->second);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Owner> owners_;
  std::vector<Waiting> waiting_;
  std::uint64_t version_ = 0;
  int asked_ = 0;
  bool later_ = false;
};

// Remembers the answer to one question.
class RecordedAnswer final : public Authenticator::Done {
 public:
  void now(std::optional<Owner> caller) override {
    ++at_once;
    answers.push_back(caller);
  }
  Later later() override {
    ++taken;
    return [this](std::optional<Owner> caller) { answers.push_back(caller); };
  }
  int at_once = 0;
  int taken = 0;
  std::vector<std::optional<Owner>> answers;
};

}  // namespace cloister::api::testing
