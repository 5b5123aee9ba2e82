#include "engine/llama/sampling_share.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

#include "sampling.h"

namespace cloister::engine::llama {
namespace {

// What an ordinary grammar takes for a token at most, by tokens of the vocabulary: 30 ms for 50,000.
constexpr double kOrdinaryNs = 600;
// Beyond that a client may take so much at once, and this part of the time.
constexpr double kBurstSeconds = 2;
constexpr double kPartOfTime = 0.1;
// Clients that have no running reply are forgotten when there are more than this.
constexpr std::size_t kMostBudgets = 4096;
constexpr std::string_view kMark = "# share ";

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

SamplingShares& SamplingShares::instance() {
  static SamplingShares shares;
  return shares;
}

SamplingShares::Share::Share(std::string client, std::function<void()> on_exceeded) {
  SamplingShares& shares = instance();
  const std::lock_guard lock(shares.mutex_);
  if (shares.budgets_.size() > kMostBudgets)
    std::erase_if(shares.budgets_, [](const auto& each) { return each.second.replies == 0; });
  number_ = ++shares.made_;
  const auto [budget, fresh] = shares.budgets_.try_emplace(client, Budget{kBurstSeconds, steady_seconds(), 0});
  ++budget->second.replies;
  shares.replies_.emplace(number_, Reply{std::move(client), std::move(on_exceeded)});
}

SamplingShares::Share::~Share() {
  SamplingShares& shares = instance();
  std::function<void()> dies_outside;
  const std::lock_guard lock(shares.mutex_);
  const auto reply = shares.replies_.find(number_);
  // The budget stays: else a client would have a fresh one with each request.
  --shares.budgets_.at(reply->second.client).replies;
  dies_outside.swap(reply->second.on_exceeded);
  shares.replies_.erase(reply);
}

std::string SamplingShares::Share::mark() const { return std::string(kMark) + std::to_string(number_) + "\n"; }

void SamplingShares::on_made(const common_sampler* sampler, std::string_view grammar) {
  if (!grammar.starts_with(kMark)) return;
  std::uint64_t number = 0;
  std::from_chars(grammar.data() + kMark.size(), grammar.data() + grammar.size(), number);
  samplers_[sampler] = number;
}

void SamplingShares::on_freed(const common_sampler* sampler) { samplers_.erase(sampler); }

void SamplingShares::on_drawn(const common_sampler* sampler, double seconds, int vocabulary) {
  const double excess = seconds - kOrdinaryNs * 1e-9 * vocabulary;
  if (excess <= 0) return;
  std::function<void()> exceeded;
  {
    const std::lock_guard lock(mutex_);
    const auto reply = replies_.find(samplers_.at(sampler));
    if (reply == replies_.end()) return;
    Budget& budget = budgets_.at(reply->second.client);
    const double now = steady_seconds();
    budget.left_s =
        std::min(kBurstSeconds, budget.left_s + (now - std::exchange(budget.filled_s, now)) * kPartOfTime) - excess;
    const bool others = std::ranges::any_of(
        budgets_, [&](const auto& each) { return each.second.replies > 0 && each.first != reply->second.client; });
    if (budget.left_s > 0) return;
    budget.left_s = std::max(budget.left_s, -kBurstSeconds);
    if (others) exceeded = std::exchange(reply->second.on_exceeded, nullptr);
  }
  if (exceeded) exceeded();
}

namespace {

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace
}  // namespace cloister::engine::llama

using cloister::engine::llama::SamplingShares;

// The linker's --wrap: the names are the library's.
extern "C" {
common_sampler* __real__Z19common_sampler_initPK11llama_modelR22common_params_sampling(const llama_model* model,
                                                                                       common_params_sampling& params);
llama_token __real__Z21common_sampler_sampleP14common_samplerP13llama_contextib(common_sampler* sampler,
                                                                                llama_context* context, int index,
                                                                                bool grammar_first);
void __real__Z19common_sampler_freeP14common_sampler(common_sampler* sampler);

common_sampler* __wrap__Z19common_sampler_initPK11llama_modelR22common_params_sampling(const llama_model* model,
                                                                                       common_params_sampling& params) {
  common_sampler* sampler = __real__Z19common_sampler_initPK11llama_modelR22common_params_sampling(model, params);
  if (sampler != nullptr) SamplingShares::instance().on_made(sampler, common_grammar_value(params.grammar));
  return sampler;
}

void __wrap__Z19common_sampler_freeP14common_sampler(common_sampler* sampler) {
  SamplingShares::instance().on_freed(sampler);
  __real__Z19common_sampler_freeP14common_sampler(sampler);
}

llama_token __wrap__Z21common_sampler_sampleP14common_samplerP13llama_contextib(common_sampler* sampler,
                                                                                llama_context* context, int index,
                                                                                bool grammar_first) {
  SamplingShares& shares = SamplingShares::instance();
  if (!shares.watches(sampler)) {
    return __real__Z21common_sampler_sampleP14common_samplerP13llama_contextib(sampler, context, index, grammar_first);
  }
  llama_synchronize(context);  // waiting for the model is nobody's sampling
  const double begun = cloister::engine::llama::thread_seconds();
  const llama_token token =
      __real__Z21common_sampler_sampleP14common_samplerP13llama_contextib(sampler, context, index, grammar_first);
  const double seconds = cloister::engine::llama::thread_seconds() - begun;
  shares.on_drawn(sampler, seconds, llama_vocab_n_tokens(llama_model_get_vocab(llama_get_model(context))));
  return token;
}
}
