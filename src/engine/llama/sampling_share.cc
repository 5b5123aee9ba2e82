#include "engine/llama/sampling_share.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "engine/llama/work_limit.h"
#include "sampling.h"

namespace cloister::engine::llama {
namespace {

// The most that an ordinary grammar takes for a token, for each token of the vocabulary: 30 ms for 50,000.
constexpr double kOrdinaryNs = 600;
// Beyond that a client may take this much at once, and this part of the time.
constexpr double kBurstSeconds = 2;
constexpr double kPartOfTime = 0.1;
// A token may take this much beyond that, even for a client with nothing left: each reply samples some tokens.
constexpr double kLeastSeconds = 0.25;
// Parsing a grammar takes milliseconds; the largest that the rules allow takes some hundred.
constexpr double kOrdinaryInitSeconds = 0.5;
// Clients without a running reply are forgotten when there are more than this.
constexpr std::size_t kMostBudgets = 4096;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

SamplingShares& SamplingShares::instance() {
  static SamplingShares shares;
  return shares;
}

SamplingShares::Share::Share(std::string client, std::function<void(int)> on_begun, std::function<void()> on_exceeded) {
  SamplingShares& shares = instance();
  const std::lock_guard lock(shares.mutex_);
  if (shares.budgets_.size() > kMostBudgets)
    std::erase_if(shares.budgets_, [](const auto& each) { return each.second.replies == 0; });
  number_ = ++shares.made_;
  const auto [budget, fresh] = shares.budgets_.try_emplace(client, Budget{kBurstSeconds, steady_seconds(), 0});
  ++budget->second.replies;
  shares.replies_.emplace(number_, Reply{std::move(client), std::move(on_begun), std::move(on_exceeded)});
}

SamplingShares::Share::~Share() {
  SamplingShares& shares = instance();
  Reply dies_outside;
  const std::lock_guard lock(shares.mutex_);
  const auto reply = shares.replies_.find(number_);
  // The budget stays: otherwise a client would have a fresh one with each request.
  --shares.budgets_.at(reply->second.client).replies;
  dies_outside = std::move(reply->second);
  shares.replies_.erase(reply);
}

// The message is read where a request's parameters are made, and not again.
void SamplingShares::Share::mark(common_params_sampling& params, int task) const {
  params.reasoning_budget_message = std::to_string(number_) + " " + std::to_string(task);
}

SamplingShares::Sampler SamplingShares::marked(const common_params_sampling& params) {
  Sampler sampler;
  const std::string& mark = params.reasoning_budget_message;
  const char* end = mark.data() + mark.size();
  const auto [rest, error] = std::from_chars(mark.data(), end, sampler.share);
  if (error != std::errc() || rest == end) return {};
  std::from_chars(rest + 1, end, sampler.task);
  sampler.has_grammar = !params.grammar.empty();
  return sampler;
}

SamplingShares::Sampler* SamplingShares::find(const common_sampler* sampler) {
  const auto found = samplers_.find(sampler);
  return found == samplers_.end() ? nullptr : &found->second;
}

void SamplingShares::on_made(const common_sampler* sampler, Sampler mark) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto reply = replies_.find(mark.share); reply != replies_.end()) mark.client = reply->second.client;
  }
  samplers_[sampler] = std::move(mark);
  without_sequence_ = sampler;
}

void SamplingShares::on_freed(const common_sampler* sampler) {
  samplers_.erase(sampler);
  std::erase_if(sequences_, [&](const auto& each) { return each.second == sampler; });
  if (without_sequence_ == sampler) without_sequence_ = nullptr;
}

void SamplingShares::on_sequence(const llama_context* context, int sequence) {
  const auto key = std::make_pair(context, sequence);
  if (without_sequence_ != nullptr) {
    sequences_[key] = std::exchange(without_sequence_, nullptr);
  } else if (const auto found = sequences_.find(key); found != sequences_.end()) {
    samplers_.at(found->second).is_free = true;
  }
}

Turns SamplingShares::turns(const llama_context* context) {
  Turns turns;
  std::set<std::string_view> decoding, reading;
  for (const auto& [key, pointer] : sequences_) {
    const Sampler& sampler = samplers_.at(pointer);
    if (key.first != context || sampler.is_free) continue;
    if (sampler.begun) ++turns.decoding_sequences;
    if (sampler.client) (sampler.begun ? decoding : reading).insert(*sampler.client);
  }
  turns.decoding_clients = decoding.size();
  // One client that does both computes for itself.
  turns.is_shared =
      !decoding.empty() && !reading.empty() && (decoding.size() > 1 || reading.size() > 1 || decoding != reading);
  std::erase_if(reading, [&](std::string_view client) { return decoding.contains(client); });
  turns.reading_clients = reading.size();
  return turns;
}

void SamplingShares::on_accepted(Sampler& sampler) {
  if (std::exchange(sampler.begun, true)) return;
  std::function<void(int)> on_begun;
  {
    const std::lock_guard lock(mutex_);
    if (const auto reply = replies_.find(sampler.share); reply != replies_.end()) on_begun = reply->second.on_begun;
  }
  if (on_begun) on_begun(sampler.task);
}

SamplingShares::Budget* SamplingShares::budget_of(std::uint64_t number) {
  const auto reply = replies_.find(number);
  if (reply == replies_.end()) return nullptr;
  Budget& budget = budgets_.at(reply->second.client);
  const double now = steady_seconds();
  budget.left_s = std::min(kBurstSeconds, budget.left_s + (now - std::exchange(budget.filled_s, now)) * kPartOfTime);
  return &budget;
}

bool SamplingShares::work_for(std::uint64_t number, double ordinary_s, const std::function<void()>& work) {
  double most = kLeastSeconds;
  {
    const std::lock_guard lock(mutex_);
    if (const Budget* budget = budget_of(number)) most = std::max(most, budget->left_s);
  }
  const double begun = thread_seconds();
  const bool whole = run_within(ordinary_s + most, work);
  const double excess = thread_seconds() - begun - ordinary_s;
  if (excess <= 0) return true;
  std::function<void()> exceeded;
  {
    const std::lock_guard lock(mutex_);
    Budget* budget = budget_of(number);
    if (budget == nullptr) return whole;
    const auto reply = replies_.find(number);
    budget->left_s = std::max(budget->left_s - excess, -kBurstSeconds);
    const bool others = std::ranges::any_of(
        budgets_, [&](const auto& each) { return each.second.replies > 0 && each.first != reply->second.client; });
    if (!whole || (budget->left_s <= 0 && others)) exceeded = std::exchange(reply->second.on_exceeded, nullptr);
  }
  if (exceeded) exceeded();
  return whole;
}

void SamplingShares::work_for(Sampler& sampler, double ordinary_s, const std::function<void()>& work) {
  if (!work_for(sampler.share, ordinary_s, work)) sampler.ended = true;
}

namespace {

double ordinary_seconds(const llama_vocab* vocab) { return kOrdinaryNs * 1e-9 * llama_vocab_n_tokens(vocab); }

// The token that a broken sampler returns: the scheduler then considers the reply ended and frees its sequence at once.
// The client has got an error before.
llama_token last_token(const llama_vocab* vocab) {
  const llama_token eos = llama_vocab_eos(vocab);
  return eos != LLAMA_TOKEN_NULL ? eos : std::max(llama_vocab_eot(vocab), llama_token{0});
}

}  // namespace
}  // namespace cloister::engine::llama

using cloister::engine::llama::SamplingShares;

// Targets of the linker's --wrap: the names are the library's.
extern "C" {
common_sampler* __real__Z19common_sampler_initPK11llama_modelR22common_params_sampling(const llama_model* model,
                                                                                       common_params_sampling& params);
llama_token __real__Z21common_sampler_sampleP14common_samplerP13llama_contextib(common_sampler* sampler,
                                                                                llama_context* context, int index,
                                                                                bool grammar_first);
void __real__Z21common_sampler_acceptP14common_samplerib(common_sampler* sampler, llama_token token, bool is_generated);
void __real__Z19common_sampler_freeP14common_sampler(common_sampler* sampler);
bool __real_llama_set_sampler(llama_context* context, llama_seq_id sequence, llama_sampler* sampler);

common_sampler* __wrap__Z19common_sampler_initPK11llama_modelR22common_params_sampling(const llama_model* model,
                                                                                       common_params_sampling& params) {
  SamplingShares& shares = SamplingShares::instance();
  const SamplingShares::Sampler mark = SamplingShares::marked(params);
  common_sampler* sampler = nullptr;
  const auto make = [&] {
    sampler = __real__Z19common_sampler_initPK11llama_modelR22common_params_sampling(model, params);
  };
  if (!mark.has_grammar) {
    make();
  } else if (!shares.work_for(mark.share, cloister::engine::llama::kOrdinaryInitSeconds, make)) {
    // The scheduler expects this where a grammar cannot be used.
    throw std::runtime_error("the grammar takes too long to read");
  }
  if (sampler != nullptr && mark.share != 0) shares.on_made(sampler, mark);
  return sampler;
}

void __wrap__Z19common_sampler_freeP14common_sampler(common_sampler* sampler) {
  SamplingShares::instance().on_freed(sampler);
  __real__Z19common_sampler_freeP14common_sampler(sampler);
}

bool __wrap_llama_set_sampler(llama_context* context, llama_seq_id sequence, llama_sampler* sampler) {
  SamplingShares::instance().on_sequence(context, sequence);
  return __real_llama_set_sampler(context, sequence, sampler);
}

llama_token __wrap__Z21common_sampler_sampleP14common_samplerP13llama_contextib(common_sampler* sampler,
                                                                                llama_context* context, int index,
                                                                                bool grammar_first) {
  SamplingShares& shares = SamplingShares::instance();
  SamplingShares::Sampler* mine = shares.find(sampler);
  llama_token token = 0;
  const auto sample = [&] {
    token = __real__Z21common_sampler_sampleP14common_samplerP13llama_contextib(sampler, context, index, grammar_first);
  };
  if (mine == nullptr || !mine->has_grammar) {
    sample();
    return token;
  }
  llama_synchronize(context);  // waiting for the model counts as nobody's sampling
  const llama_vocab* vocab = llama_model_get_vocab(llama_get_model(context));
  if (!mine->ended) shares.work_for(*mine, cloister::engine::llama::ordinary_seconds(vocab), sample);
  return mine->ended ? cloister::engine::llama::last_token(vocab) : token;
}

void __wrap__Z21common_sampler_acceptP14common_samplerib(common_sampler* sampler, llama_token token,
                                                         bool is_generated) {
  SamplingShares& shares = SamplingShares::instance();
  SamplingShares::Sampler* mine = is_generated ? shares.find(sampler) : nullptr;
  if (mine != nullptr) shares.on_accepted(*mine);
  const auto accept = [&] { __real__Z21common_sampler_acceptP14common_samplerib(sampler, token, is_generated); };
  if (mine == nullptr || !mine->has_grammar) return accept();
  if (!mine->ended) shares.work_for(*mine, 0, accept);  // a broken grammar must not be asked
}
}
