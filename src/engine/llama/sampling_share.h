// SamplingShares: how long the engine's thread samples tokens for each client. All sequences share that thread, and a
// grammar with many alternatives makes it test each token of the vocabulary against all of them: one reply could make all
// others wait. Each client has a share of time beyond what an ordinary token costs. A reply of a client that has used up
// its share is ended while replies of others run. A single token that takes longer than a whole share is not sampled to its
// end, whether or not others are running: its reply is ended in the middle of the token (engine/llama/work_limit.h).
//
// The linker redirects the scheduler's calls of common_sampler_init, _sample, _accept and _free here (cmake/llama.cmake).
// The scheduler makes a sampler from a copy of a task's parameters, so these carry the numbers of share and task, in a
// member that the sampler does not read. The first token that is accepted also says that the prompt has been computed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

struct common_params_sampling;
struct common_sampler;

namespace cloister::engine::llama {

class SamplingShares {
 public:
  // The one instance of the process: the functions that the linker redirects belong to no object.
  static SamplingShares& instance();

  // A running reply's share, as long as it lives. `on_begun` is called for each of its tasks once the prompt is
  // computed, `on_exceeded` at most once; both on the engine's thread, which they must not block.
  class Share {
   public:
    Share(std::string client, std::function<void(int task)> on_begun, std::function<void()> on_exceeded);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    // Marks the parameters of a task of the reply.
    void mark(common_params_sampling& params, int task) const;

   private:
    std::uint64_t number_;
  };

  // Everything below runs on the engine's thread.
  struct Sampler {
    std::uint64_t share = 0;
    int task = 0;
    bool has_grammar = false;
    bool begun = false;
    bool ended = false;  // its work was ended: it is broken and samples nothing any more
  };
  // What the parameters are marked with; share 0 means no mark.
  static Sampler marked(const common_params_sampling& params);
  void on_made(const common_sampler* sampler, const Sampler& mark) { samplers_[sampler] = mark; }
  void on_freed(const common_sampler* sampler) { samplers_.erase(sampler); }
  // Null: this sampler is not observed.
  Sampler* find(const common_sampler* sampler);
  // Called when a token of the reply was sampled.
  void on_accepted(Sampler& sampler);
  // Does `work` for a reply and takes its time. Returns false when the work took more than a share and was ended.
  bool work_for(std::uint64_t share, double ordinary_s, const std::function<void()>& work);
  void work_for(Sampler& sampler, double ordinary_s, const std::function<void()>& work);

 private:
  struct Reply {
    std::string client;
    std::function<void(int)> on_begun;
    std::function<void()> on_exceeded;
  };
  struct Budget {
    double left_s = 0;
    double filled_s = 0;  // time on the steady clock
    std::size_t replies = 0;
  };
  // Called with mutex_ held: what is left of its client's budget, including its growth since. Null when the reply is over.
  Budget* budget_of(std::uint64_t share);

  std::map<const common_sampler*, Sampler> samplers_;  // used by the engine's thread alone

  std::mutex mutex_;  // guards everything below
  std::uint64_t made_ = 0;
  std::map<std::uint64_t, Reply> replies_;
  std::map<std::string, Budget> budgets_;  // of clients with a running reply
};

}  // namespace cloister::engine::llama
