// SamplingShares: how long the engine's thread draws tokens for whom. All sequences share that thread, and a grammar
// with many alternatives makes it test each token of the vocabulary against all of them: one reply could make all
// others wait. Each client has a share of time beyond what an ordinary token costs; a reply of a client that has used
// up its share is ended, while replies of others run. A single token that takes longer than all of a share is not drawn
// to its end, whether or not others are there: its reply is ended in the middle of it (engine/llama/work_limit.h).
//
// The linker sends the scheduler's calls of common_sampler_init, _sample, _accept and _free here (cmake/llama.cmake).
// The scheduler makes a sampler from a copy of a task's parameters, so these carry the numbers of share and task, in a
// member that the sampler does not look at. The first token that is accepted also says that the prompt has been
// computed. The scheduler calls llama_set_sampler when a task gets a sequence and when the sequence becomes free again;
// the linker sends these calls here as well, so that it is known at any time whose prompts are computed and who
// decodes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engine/llama/turns.h"

struct llama_context;
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
    std::uint64_t number() const { return number_; }

   private:
    std::uint64_t number_;
  };

  // Everything below runs on the engine's thread.
  struct Sampler {
    std::uint64_t share = 0;
    int task = 0;
    bool has_grammar = false;
    bool begun = false;
    bool ended = false;                 // work for it was ended: it is broken and draws nothing any more
    bool is_free = false;               // its sequence is free again
    std::optional<std::string> client;  // none: the reply was over before
  };
  // What the parameters are marked with; share 0 means no mark.
  static Sampler marked(const common_params_sampling& params);
  void on_made(const common_sampler* sampler, Sampler mark);
  void on_freed(const common_sampler* sampler);
  // The sequence was given to the sampler that was made last, or is free again.
  void on_sequence(const llama_context* context, int sequence);
  // What the scheduler of this context computes, and for whom.
  Turns turns(const llama_context* context);
  // Null: nobody looks at this sampler.
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

  // The engine thread's own.
  std::map<const common_sampler*, Sampler> samplers_;
  std::map<std::pair<const llama_context*, int>, const common_sampler*> sequences_;
  const common_sampler* without_sequence_ = nullptr;

  std::mutex mutex_;  // guards everything below
  std::uint64_t made_ = 0;
  std::map<std::uint64_t, Reply> replies_;
  std::map<std::string, Budget> budgets_;  // of clients with a running reply
};

}  // namespace cloister::engine::llama
