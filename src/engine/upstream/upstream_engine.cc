#include "engine/upstream/upstream_engine.h"

#include <pthread.h>

#include <algorithm>
#include <thread>

#include "engine/upstream/relay.h"
#include "net/loop.h"

namespace cloister::engine {
namespace {

using namespace upstream;

class UpstreamEngine final : public Engine, public TestedEngine {
 public:
  explicit UpstreamEngine(std::shared_ptr<RelayParts> parts) : parts_(std::move(parts)) {
    for (const auto& server : parts_->servers) {
      watchers_.emplace_back([server] { server->watch(); });
      pthread_setname_np(watchers_.back().native_handle(), "upstream");
    }
  }
  ~UpstreamEngine() override {
    parts_->identities->stop();
    for (const auto& server : parts_->servers) server->stop();
    for (std::thread& watcher : watchers_) watcher.join();
  }

  std::string_view name() const override { return "upstream"; }
  Health health() const override;
  std::string failure() const override;
  std::vector<KnownAnswersState> known_answers() const override;
  std::shared_ptr<const evidence::KnownAnswersResult> known_answers_of(std::string_view model) const override;
  std::set<Route> routes() const override;
  EngineStats stats() const override { return {parts_->turns.under_way(), parts_->turns.waiting()}; }
  bool passes_on() const override { return true; }
  std::vector<ModelInfo> models() const override;
  std::optional<ModelInfo> find_model(std::string_view id) const override;
  std::vector<UpstreamState> upstreams() const override;
  std::shared_ptr<const std::string> models_document() const override;
  Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) override;

 private:
  const std::shared_ptr<RelayParts> parts_;
  std::vector<std::thread> watchers_;
};

Health UpstreamEngine::health() const {
  if (!failure().empty()) return Health::kFailed;
  const bool any =
      std::any_of(parts_->servers.begin(), parts_->servers.end(), [](const auto& one) { return one->is_up(); });
  return any ? Health::kReady : Health::kLoading;
}

// A test that was asked for and is never made would be a broken promise.
std::string UpstreamEngine::failure() const {
  if (parts_->answers.empty()) return "";
  if (std::string misfit = parts_->answers.misfit(); !misfit.empty()) return misfit;
  const bool all_seen = std::all_of(parts_->servers.begin(), parts_->servers.end(),
                                    [](const auto& one) { return one->findings() != nullptr; });
  const std::string unclaimed = all_seen ? parts_->answers.unclaimed() : std::string();
  return unclaimed.empty() ? "" : "known answers were given for the model " + unclaimed + ", and no upstream lists it";
}

std::vector<KnownAnswersState> UpstreamEngine::known_answers() const {
  std::vector<KnownAnswersState> out;
  for (const auto& server : parts_->servers) {
    for (KnownAnswersState& state : server->tests().state()) out.push_back(std::move(state));
  }
  // Answers with which no server was tested yet.
  for (const auto& answers : parts_->answers.given()) {
    const bool tested =
        std::any_of(out.begin(), out.end(), [&](const auto& one) { return one.answers_digest == answers->digest; });
    if (!tested) out.push_back(TestRecord(answers, "").state());
  }
  return out;
}

// Which server answers a request is chosen later, so this returns what holds for all of them.
std::shared_ptr<const evidence::KnownAnswersResult> UpstreamEngine::known_answers_of(std::string_view model) const {
  std::shared_ptr<const evidence::KnownAnswersResult> oldest;
  for (const auto& server : parts_->servers) {
    if (!server->is_up() || !server->serves(std::string(model))) continue;
    auto result = server->tests().result(model);
    if (result == nullptr) return nullptr;
    if (oldest == nullptr || result->passed_at < oldest->passed_at) oldest = std::move(result);
  }
  return oldest;
}

// All routes: an upstream itself says which ones it lacks.
std::set<Route> UpstreamEngine::routes() const {
  return {
      Route::kChatCompletions, Route::kCompletions,  Route::kEmbeddings, Route::kResponses,        Route::kMessages,
      Route::kTokenize,        Route::kCountTokens,  Route::kDetokenize, Route::kRerank,           Route::kScore,
      Route::kTranscriptions,  Route::kTranslations, Route::kSpeech,     Route::kImageGenerations, Route::kImageEdits};
}

std::vector<ModelInfo> UpstreamEngine::models() const {
  std::vector<ModelInfo> all;
  for (const auto& server : parts_->servers) {
    const auto findings = server->findings();
    if (findings == nullptr) continue;
    for (const ModelInfo& model : findings->models) {
      const bool known = std::any_of(all.begin(), all.end(), [&](const ModelInfo& one) { return one.id == model.id; });
      if (!known) all.push_back(model);
    }
  }
  return all;
}

std::optional<ModelInfo> UpstreamEngine::find_model(std::string_view id) const {
  for (const auto& server : parts_->servers) {
    const auto findings = server->findings();
    if (findings == nullptr) continue;
    for (const ModelInfo& model : findings->models) {
      if (model.id == id) return model;
    }
  }
  return std::nullopt;
}

std::vector<UpstreamState> UpstreamEngine::upstreams() const {
  std::vector<UpstreamState> out;
  for (const auto& server : parts_->servers) out.push_back(server->state());
  return out;
}

std::shared_ptr<const std::string> UpstreamEngine::models_document() const {
  if (models_differ(parts_->servers)) return nullptr;
  for (const auto& server : parts_->servers) {
    const auto findings = server->findings();
    if (findings == nullptr) continue;
    if (findings->models_document.empty()) return nullptr;
    return {findings, &findings->models_document};
  }
  return nullptr;
}

Result<std::shared_ptr<Generation>> UpstreamEngine::start(EngineRequest request, std::shared_ptr<ReplySink> sink) {
  net::Loop* const loop = request.loop;
  TRY(relay, Relay::make(parts_, std::move(request), std::move(sink)));
  if (loop->is_here()) {
    relay->start();
  } else {
    loop->run([relay] { relay->start(); });
  }
  return std::shared_ptr<Generation>(std::move(relay));
}

// The API's paths already begin with /v1.
http::Url without_version(http::Url url) {
  constexpr std::string_view kVersion = "/v1";
  if (url.base_path.ends_with(kVersion)) url.base_path.resize(url.base_path.size() - kVersion.size());
  return url;
}

}  // namespace

Result<http::Url> parse_upstream_url(const std::string& text) {
  if (text.starts_with("unix:")) return http::parse_unix_url(text);
  if (!text.starts_with("http://") && !text.starts_with("https://")) {
    return fail(ErrorCode::kBadUrl, "--upstream \"" + text + "\": expected http://HOST:PORT or unix:/PATH");
  }
  TRY(url, http::parse_url(text));
  if (url.tls) {
    return fail(
        ErrorCode::kUsage,
        "--upstream takes http:// and unix: only, not https://: the engine belongs in the confidential VM of this "
        "node. "
        "For one in another confidential VM lay an encrypted tunnel between the two and name its private address "
        "(docs/guide/engines.md)");
  }
  return without_version(std::move(url));
}

Result<std::unique_ptr<Engine>> make_upstream_engine(UpstreamOptions options) {
  if (options.urls.empty()) return fail(ErrorCode::kUsage, "--upstream is required: the URL of an OpenAI server");
  if (options.parallel == 0) return fail(ErrorCode::kUsage, "--upstream-parallel is at least 1");
  if (options.urls.size() > kMostServers) {
    return fail(ErrorCode::kUsage, "--upstream may be given " + std::to_string(kMostServers) + " times at most");
  }
  const std::string& token = options.bearer_token;
  if (!std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; })) {
    return fail(ErrorCode::kUsage, "the upstreams' token holds a space or another character it must not hold");
  }
  auto parts = std::make_shared<RelayParts>(std::move(options));
  TRY(identities, IdentityMaker::make(parts->options));
  parts->identities = std::move(identities);
  for (const std::string& text : parts->options.urls) {
    TRY(url, parse_upstream_url(text));
    TRY(target, http::resolve_private(url));
    parts->servers.push_back(
        std::make_shared<Server>(std::move(url), target, parts->options, *parts->identities, parts->answers));
  }
  return std::unique_ptr<Engine>(std::make_unique<UpstreamEngine>(std::move(parts)));
}

}  // namespace cloister::engine
