// PromptOwners: knows whose prompt each sequence of the scheduler still holds. The scheduler reuses what a sequence has
// left behind when a new prompt begins the same way, whoever asks. This class limits that to prompts of the same
// tenant, so that nobody can tell from cached tokens, or from time, what others have sent.
//
// The linker redirects the scheduler's calls of server_tokens::get_common_prefix and keep_first here (cmake/llama.cmake).
// With the first the scheduler compares a prompt with a sequence's content; the second follows when the prompt takes the
// sequence over. Claims come from any thread, the two calls from the engine's. docs/decisions/0007-upstream-on-the-loop.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "base/bytes.h"

struct server_tokens;

namespace cloister::engine::llama {

class PromptOwners {
 public:
  using Tenant = ByteArray<16>;

  // The one instance of the process: the functions that the linker redirects belong to no object.
  static PromptOwners& instance();

  // From here on prompts without a claim reuse nothing.
  void isolate();

  // Says whose tokens are at this address, as long as the claim lives. `shared`: a prompt whose result the scheduler
  // copies into further sequences.
  class Claim {
   public:
    Claim(const void* tokens, const Tenant& tenant, bool shared);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

   private:
    const void* tokens_;
    std::uint64_t number_;
  };

  // The scheduler compares the prompt at `tokens` with a sequence and finds `same` tokens; returns how many may be reused.
  std::size_t on_compared(const server_tokens* sequence, const void* tokens, std::size_t same);
  // A prompt takes over the sequence that it was last compared with.
  void on_taken(const server_tokens* sequence);

 private:
  struct Claimed {
    Tenant tenant;
    bool shared;
    std::uint64_t number;
  };

  std::mutex mutex_;
  bool isolated_ = false;
  std::uint64_t claims_made_ = 0;
  std::map<const void*, Claimed> claims_;
  std::map<const server_tokens*, Tenant> owners_;
  const server_tokens* compared_ = nullptr;
  Claimed by_{};
};

}  // namespace cloister::engine::llama
