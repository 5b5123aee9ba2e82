#include "serve/passing_call.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "api/media_type.h"
#include "engine/known_answers/record.h"
#include "engine/upstream/usage.h"
#include "serve/relayed_request.h"

namespace cloister::serve {
namespace {

using Author = receipts::ReceiptedReply::Author;

// If a client is further behind than this, an engine that can wait does so.
constexpr std::size_t kBehindBytes = 128u << 10;

// What another server may see of a request's head: the type of the body and which version of an API is meant. It never
// sees the credential, nor who the client is.
engine::HeaderList forwarded_headers(const http::Headers& headers) {
  engine::HeaderList out;
  for (const auto& [name, value] : headers) {
    if (name == "content-type" || name == "accept" || name.starts_with("anthropic-") || name == "openai-beta") {
      out.emplace_back(name, value);
    }
  }
  return out;
}

bool is_json(const http::RequestHead& head) { return api::media_type(head) == "application/json"; }

// The head of another server's reply without its body. Its content type is a header there, if it has one.
http::Response head_of(engine::PassedHead passed) {
  http::Response head;
  head.status = passed.status;
  head.headers = std::move(passed.headers);
  head.content_type.clear();
  const auto type = std::ranges::find(head.headers, "content-type", &std::pair<std::string, std::string>::first);
  if (type != head.headers.end()) {
    head.content_type = std::move(type->second);
    head.headers.erase(type);
  }
  return head;
}

}  // namespace

// The other server parses and checks the body. This node reads what its receipt will say, and refuses what the other
// server could read differently.
Result<void> PassingCall::start_engine() {
  engine::Engine& engine = context().engine;
  std::string query;
  engine::HeaderList headers;
  net::Loop* loop = nullptr;
  bool json = true;
  reply().with_exchange([&](http::Exchange& exchange) {
    const http::Request& request = exchange.request();
    query = request.query;
    headers = forwarded_headers(request.headers);
    loop = exchange.loop();
    json = !route().takes_files || is_json(request);
  });
  if (http::query_value(query, "model")) {
    return fail(ErrorCode::kInvalidRequest, "the model is named in the body and not in the query", "model");
  }
  RelayedRequest relayed;
  if (json) {
    TRY(read, read_relayed_request(body()));
    relayed = std::move(read);
  }
  if (transcript() != nullptr) {
    transcript()->set_asked(relayed.model, [&engine](std::string_view told) {
      const auto model = engine.find_model(told);
      if (!model) return receipts::Transcript::Listed{};
      return receipts::Transcript::Listed{model->identity_digest, engine::known_answers_of(engine, told)};
    });
  }
  // The engine checks whether the server takes a cache salt (engine/upstream/salt.h).
  if (json && lacks_protection(relayed.protections, /*takes_cache_salt=*/true)) return {};
  if (relayed.model && !engine.find_model(*relayed.model)) {
    if (engine.models().empty()) {
      return fail(ErrorCode::kUpstreamUnreachable, "no engine has listed its models yet; try again");
    }
    return not_served(engine, *relayed.model);
  }
  engine::EngineRequest to_engine = make_request();
  to_engine.path = route().path;
  if (!query.empty()) to_engine.path.append("?").append(query);
  to_engine.headers = std::move(headers);
  to_engine.loop = loop;
  return launch(std::move(to_engine));
}

void PassingCall::on_forwarded(const ByteArray<32>& body_sha256) {
  if (transcript() != nullptr) transcript()->set_forwarded(body_sha256);
}

void PassingCall::on_passed_head(engine::PassedHead passed) {
  const bool whole = passed.whole;
  const std::uint64_t length = passed.length;
  http::Response head = head_of(std::move(passed));
  reply().tap().expect_words(head.content_type.starts_with("text/event-stream"));
  if (transcript() != nullptr && head.status < 400) transcript()->use_words();
  if (whole) return reply().collect(std::move(head), Author::kOtherServer, length);
  reply().with_exchange([this](http::Exchange& exchange) {
    const auto self = std::static_pointer_cast<PassingCall>(shared_from_this());
    exchange.on_caught_up([weak = std::weak_ptr(self)] {
      if (const auto live = weak.lock()) live->resume();
    });
  });
  reply().stream(std::move(head), Author::kOtherServer);
}

bool PassingCall::is_behind() {
  bool behind = false;
  reply().with_exchange([&](http::Exchange& exchange) { behind = exchange.behind_bytes() > kBehindBytes; });
  return behind;
}

void PassingCall::on_bytes(std::string_view bytes) {
  reply().tap().on_incoming(bytes);
  InferenceCall::on_bytes(bytes);
}

// The reply itself says how it ended.
void PassingCall::on_end(const engine::Outcome&, std::string_view last) {
  reply().tap().on_incoming(last);
  const codec::ReplyWords* const words = reply().tap().words();
  InferenceCall::on_end(words != nullptr ? engine::upstream::read_outcome(*words) : engine::Outcome{}, last);
}

}  // namespace cloister::serve
