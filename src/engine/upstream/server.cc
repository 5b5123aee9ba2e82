#include "engine/upstream/server.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"

namespace cloister::engine::upstream {
namespace {

constexpr int kCheckTimeoutSeconds = 5;
constexpr int kTestTimeoutSeconds = 20;
constexpr std::uint64_t kAnswerLimitBytes = 4u << 20;

http::ClientOptions client_options(const UpstreamOptions& options) {
  http::ClientOptions out;
  out.connect_timeout_s = std::min(options.connect_timeout_s, kCheckTimeoutSeconds);
  out.idle_timeout_s = kCheckTimeoutSeconds;
  out.response_limit_bytes = kAnswerLimitBytes;
  out.bearer_token = options.bearer_token;
  // As for prompts (resolve_private), the name is resolved again for each of these connections.
  out.plain_http = http::PlainHttp::kPrivateNetwork;
  return out;
}

// A test waits in the server's queue like any request.
http::ClientOptions test_options(const UpstreamOptions& options) {
  http::ClientOptions out = client_options(options);
  out.idle_timeout_s = out.total_timeout_s = kTestTimeoutSeconds;
  return out;
}

std::string fixed_headers(const http::Url& url, const UpstreamOptions& options) {
  std::string out = "host: " + http::authority_of(url) + "\r\n";
  if (!options.bearer_token.empty()) out += "authorization: Bearer " + options.bearer_token + "\r\n";
  return out;
}

std::string name_of(const http::Url& url) {
  return url.unix_socket.empty() ? "http://" + http::authority_of(url) + url.base_path : "unix:" + url.unix_socket;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : ",").append(word);
  return out;
}

bool same_address(const http::OutgoingTarget& a, const http::OutgoingTarget& b) { return a.addresses == b.addresses; }

}  // namespace

std::vector<std::string_view> probed_paths() {
  return {"/v1/chat/completions",
          "/v1/completions",
          "/v1/responses",
          "/v1/messages",
          "/v1/embeddings",
          "/v1/rerank",
          "/v1/score",
          "/tokenize",
          "/detokenize",
          "/v1/audio/transcriptions",
          "/v1/audio/translations",
          "/v1/audio/speech",
          "/v1/images/generations",
          "/v1/images/edits"};
}

Server::Server(http::Url url, http::OutgoingTarget target, const UpstreamOptions& options, IdentityMaker& identities,
               Answers& answers)
    : url_(std::move(url)),
      name_(name_of(url_)),
      options_(options),
      identities_(identities),
      answers_(answers),
      client_(url_, client_options(options)),
      test_client_(url_, test_options(options)),
      tests_(name_, answers, options.known_answers_every, test_client_),
      fixed_headers_(fixed_headers(url_, options)),
      salt_(options.cache_salt == CacheSalt::kOn),
      target_(std::make_shared<const http::OutgoingTarget>(target)) {}

std::string Server::request_head(std::string_view path, const HeaderList& headers, std::size_t body_size) const {
  std::string out;
  out.reserve(384);
  out.append("POST ").append(url_.base_path).append(path).append(" HTTP/1.1\r\n").append(fixed_headers_);
  for (const auto& [name, value] : headers) out.append(name).append(": ").append(value).append("\r\n");
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), body_size).ptr;
  return out.append("content-length: ").append(digits, end).append("\r\n\r\n");
}

std::shared_ptr<const http::OutgoingTarget> Server::target() const {
  const std::lock_guard lock(mutex_);
  return target_;
}

std::shared_ptr<const Findings> Server::findings() const {
  const std::lock_guard lock(mutex_);
  return findings_;
}

bool Server::serves(const std::string& model) const {
  const auto known = findings();
  return known != nullptr &&
         std::any_of(known->models.begin(), known->models.end(), [&](const ModelInfo& one) { return one.id == model; });
}

UpstreamState Server::state() const {
  UpstreamState out;
  out.url = name_;
  out.up = is_up();
  out.cache_salt = takes_salt();
  out.active = active();
  out.requests = requests_.load(std::memory_order_relaxed);
  out.failures = failures_.load(std::memory_order_relaxed);
  if (const auto known = findings()) {
    out.server = known->kind + (known->version.empty() ? "" : " " + known->version);
    for (const ModelInfo& model : known->models) out.models.push_back(model.id);
    out.routes = known->routes;
  }
  return out;
}

void Server::request_begun() {
  active_.fetch_add(1, std::memory_order_relaxed);
  requests_.fetch_add(1, std::memory_order_relaxed);
}

void Server::count_failure(bool gone) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (gone) up_.store(false, std::memory_order_release);
  const std::lock_guard lock(mutex_);
  look_now_ = true;
  wake_.notify_one();
}

void Server::watch() {
  for (;;) {
    look();
    std::unique_lock lock(mutex_);
    const auto pause = is_up() ? options_.check_interval : options_.recheck_interval;
    // A failed request calls for an early check, but many of them must not cause many checks.
    wake_.wait_for(lock, options_.recheck_interval, [&] { return stopping_; });
    wake_.wait_for(lock, pause - std::min(pause, options_.recheck_interval), [&] { return stopping_ || look_now_; });
    if (stopping_) return;
    look_now_ = false;
  }
}

bool Server::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Server::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
}

void Server::look() {
  const Result<void> healthy = check_health(client_);
  if (!healthy) {
    resolve_again();
    if (healthy.error().code == ErrorCode::kNetwork) tests_.forget_withdrawal();
    return go_down(healthy.error());
  }
  // A server that gave a wrong answer is not used again until it was gone, as when it is restarted.
  if (tests_.is_withdrawn()) return;
  const auto known = findings();
  const bool was_up = is_up() && known != nullptr;
  Result<Findings> found =
      was_up ? read_models(client_) : probe(client_, probed_paths(), [this] { return is_stopping(); });
  if (!found) return go_down(found.error());
  if (was_up) {
    // Models come and go with adapters; the server's kind and routes do not change while it is up.
    found->kind = known->kind;
    found->version = known->version;
    found->routes = known->routes;
  }
  if (const Result<void> identified = identities_.identify(*found); !identified) return go_down(identified.error());
  const bool salted =
      options_.cache_salt == CacheSalt::kOn || (options_.cache_salt == CacheSalt::kAuto && found->kind == "vllm");
  if (const Result<void> tested = tests_.test(*found, was_up, salted); !tested) return go_down(tested.error());
  go_up(std::move(*found));
}

void Server::go_up(Findings findings) {
  const bool news = !is_up();
  if (options_.cache_salt == CacheSalt::kAuto) salt_.store(findings.kind == "vllm", std::memory_order_release);
  const std::string line = "upstream up url=" + name_ +
                           " server=" + (findings.kind.empty() ? "unknown" : findings.kind) +
                           " version=" + (findings.version.empty() ? "unknown" : findings.version) +
                           " models=" + std::to_string(findings.models.size()) +
                           " cache_salt=" + (takes_salt() ? "on" : "off") + " routes=" + joined(findings.routes);
  {
    const std::lock_guard lock(mutex_);
    findings_ = std::make_shared<const Findings>(std::move(findings));
    told_down_ = false;
  }
  up_.store(true, std::memory_order_release);
  if (news) log::info(line);
}

void Server::go_down(const Error& error) {
  up_.store(false, std::memory_order_release);
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(told_down_, true)) return;
  }
  log::warn("upstream down url=" + name_ + " error=" + std::string(error_id(error.code)) + " " + error.message);
}

// Names are moved to other addresses, most of all when the service behind them is restarted.
void Server::resolve_again() {
  const auto found = http::resolve_private(url_);
  if (!found) return;
  const std::lock_guard lock(mutex_);
  if (!same_address(*found, *target_)) target_ = std::make_shared<const http::OutgoingTarget>(*found);
}

}  // namespace cloister::engine::upstream
