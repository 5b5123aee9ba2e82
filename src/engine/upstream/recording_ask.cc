#include "engine/upstream/recording_ask.h"

#include <algorithm>

#include "codec/json.h"
#include "engine/upstream/probe.h"
#include "engine/upstream/server_tests.h"
#include "engine/upstream/upstream_engine.h"

namespace cloister::engine {
namespace {

constexpr int kPatienceSeconds = 120;
constexpr std::uint64_t kAnswerLimitBytes = 4u << 20;

class Opened final : public RecordedServer {
 public:
  Opened(http::Url url, http::ClientOptions options) : client_(std::move(url), std::move(options)) {}

  Result<void> look(const std::string& model) {
    TRY(found, upstream::probe(client_, {}, [] { return false; }));
    const bool listed =
        std::any_of(found.models.begin(), found.models.end(), [&](const ModelInfo& one) { return one.id == model; });
    if (!listed) return fail(ErrorCode::kModelNotFound, "the server does not list the model " + model);
    findings_ = std::move(found);
    return {};
  }

  std::string description() const override {
    if (findings_.kind.empty()) return "upstream";
    return findings_.kind + (findings_.version.empty() ? "" : " " + findings_.version);
  }

  Ask ask() const override {
    return [this, plain = upstream::ask_server(client_)](const std::string& body) -> Result<std::string> {
      TRY(request, codec::parse_json(body));
      request.update(upstream::uncached_members(findings_.kind, findings_.kind == "vllm"));
      return plain(codec::write_json(request));
    };
  }

 private:
  const http::Client client_;
  upstream::Findings findings_;
};

}  // namespace

Result<std::unique_ptr<RecordedServer>> open_recording(const std::string& url, const std::string& bearer_token,
                                                       const std::string& model) {
  TRY(parsed, parse_upstream_url(url));
  http::ClientOptions options;
  options.idle_timeout_s = kPatienceSeconds;
  options.response_limit_bytes = kAnswerLimitBytes;
  options.bearer_token = bearer_token;
  options.plain_http = http::PlainHttp::kPrivateNetwork;
  auto opened = std::make_unique<Opened>(std::move(parsed), std::move(options));
  TRY_VOID(opened->look(model));
  return std::unique_ptr<RecordedServer>(std::move(opened));
}

}  // namespace cloister::engine
