// SamplingShares: how long the engine's thread draws tokens for whom. All sequences share that thread, and a grammar
// with many alternatives makes it test each token of the vocabulary against all of them: one reply could make all
// others wait. Each client has a share of time beyond what an ordinary token costs; a reply of a client that has used
// up its share is ended, while replies of others run.
//
// The linker sends the scheduler's calls of common_sampler_init, _sample and _free here (cmake/llama.cmake). A reply's
// grammar carries the number of its share in a comment, for the scheduler makes the sampler from a copy of the
// parameters.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

struct common_sampler;

namespace cloister::engine::llama {

class SamplingShares {
 public:
  // The one of the process: what the linker puts in place has no object to belong to.
  static SamplingShares& instance();

  // A reply's place among those that run, as long as it lives. `on_exceeded` is called once at most, on the engine's
  // thread, which it must not hold up.
  class Share {
   public:
    Share(std::string client, std::function<void()> on_exceeded);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    // A comment for the reply's grammar; names this share.
    std::string mark() const;

   private:
    std::uint64_t number_;
  };

  // On the engine's thread.
  void on_made(const common_sampler* sampler, std::string_view grammar);
  void on_freed(const common_sampler* sampler);
  // False: nobody looks at this sampler, so its time need not be taken.
  bool watches(const common_sampler* sampler) const { return samplers_.contains(sampler); }
  // A token was drawn in `seconds` of the thread's time from a vocabulary of so many.
  void on_drawn(const common_sampler* sampler, double seconds, int vocabulary);

 private:
  struct Reply {
    std::string client;
    std::function<void()> on_exceeded;
  };
  struct Budget {
    double left_s = 0;
    double filled_s = 0;  // when, on the steady clock
    std::size_t replies = 0;
  };

  std::map<const common_sampler*, std::uint64_t> samplers_;  // the engine thread's own

  std::mutex mutex_;  // for all below
  std::uint64_t made_ = 0;
  std::map<std::uint64_t, Reply> replies_;
  std::map<std::string, Budget> budgets_;  // of clients with a running reply
};

}  // namespace cloister::engine::llama
