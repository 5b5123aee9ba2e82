#include "engine/testing/recording_sink.h"

#include <gtest/gtest.h>

namespace cloister::engine::testing {

void RecordingSink::note(bool wrong, const char* what) {
  if (wrong && misuse_.empty()) misuse_ = what;
}

void RecordingSink::on_start(std::string_view content_type) {
  std::lock_guard lock(mutex_);
  note(started_ || ended_, "on_start twice or after the end");
  started_ = true;
  content_type_ = content_type;
}

void RecordingSink::on_bytes(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  note(!started_ || ended_, "on_bytes before the start or after the end");
  note(bytes.empty(), "on_bytes without bytes");
  note(content_type_ == "text/event-stream" && !bytes.ends_with("\n\n"), "on_bytes with a part of an event");
  bytes_ += bytes;
  ++pieces_;
  changed_.notify_all();
}

void RecordingSink::on_end(const Outcome& outcome, std::string_view last) {
  std::lock_guard lock(mutex_);
  note(!started_ || ended_, "on_end before the start or after the end");
  note(content_type_ == "text/event-stream" && !last.ends_with("\n\n"), "on_end of a stream without its last event");
  bytes_ += last;
  last_ = last;
  ended_ = true;
  outcome_ = outcome;
  changed_.notify_all();
}

void RecordingSink::on_error(const Error& error) {
  std::lock_guard lock(mutex_);
  note(ended_, "on_error after the end");
  ended_ = true;
  error_ = error;
  changed_.notify_all();
}

bool RecordingSink::wait_end(std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return ended_; });
}

bool RecordingSink::wait_pieces(std::size_t count, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return pieces_ >= count; });
}

std::string RecordingSink::content_type() const { return std::lock_guard(mutex_), content_type_; }
std::string RecordingSink::bytes() const { return std::lock_guard(mutex_), bytes_; }
std::string RecordingSink::last() const { return std::lock_guard(mutex_), last_; }
std::size_t RecordingSink::pieces() const { return std::lock_guard(mutex_), pieces_; }
std::optional<Outcome> RecordingSink::outcome() const { return std::lock_guard(mutex_), outcome_; }
std::optional<Error> RecordingSink::error() const { return std::lock_guard(mutex_), error_; }
std::string RecordingSink::misuse() const { return std::lock_guard(mutex_), misuse_; }

namespace {

// The lines of a stream that begin with `label`, with the label removed.
std::vector<std::string> lines_of(const std::string& stream, std::string_view label) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < stream.size();) {
    std::size_t end = stream.find('\n', at);
    std::string line = stream.substr(at, end - at);
    if (line.starts_with(label)) lines.push_back(line.substr(label.size()));
    at = end == std::string::npos ? stream.size() : end + 1;
  }
  return lines;
}

std::string string_or_empty(const Json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
}

}  // namespace

Json Reply::json() const { return Json::parse(bytes, nullptr, false); }

std::vector<Json> Reply::events() const {
  std::vector<Json> events;
  for (const std::string& line : lines_of(bytes, "data: ")) {
    if (line == "[DONE]") continue;
    events.push_back(Json::parse(line, nullptr, false));
    EXPECT_FALSE(events.back().is_discarded()) << line;
  }
  return events;
}

std::vector<std::string> Reply::event_names() const { return lines_of(bytes, "event: "); }

bool Reply::done_marker() const { return last.ends_with("data: [DONE]\n\n"); }

std::string Reply::text(int index) const {
  std::vector<Json> parts = content_type == "application/json" ? std::vector<Json>{json()} : events();
  std::string text;
  for (const Json& part : parts) {
    for (const Json& choice : part.value("choices", Json::array())) {
      if (choice.value("index", -1) != index) continue;
      text += string_or_empty(choice, "text");
      if (choice.contains("message")) text += string_or_empty(choice["message"], "content");
      if (choice.contains("delta")) text += string_or_empty(choice["delta"], "content");
    }
  }
  return text;
}

EngineRequest make_request(Route route, const Json& body, bool stream, std::string id) {
  EngineRequest request;
  request.route = route;
  request.id = id.empty() ? std::string(id_prefix(route)) + "0123456789abcdef" : std::move(id);
  Json full = body;
  if (stream) full["stream"] = true;
  request.body = std::make_shared<const std::string>(full.dump());
  request.json = std::move(full);
  request.stream = stream;
  return request;
}

Reply ask(Engine& engine, Route route, const Json& body, bool stream) {
  Reply reply;
  auto sink = std::make_shared<RecordingSink>();
  auto generation = engine.start(make_request(route, body, stream), sink);
  if (!generation.has_value()) {
    reply.refused = generation.error();
    return reply;
  }
  EXPECT_TRUE(sink->wait_end()) << "the reply never ended";
  reply.error = sink->error();
  reply.content_type = sink->content_type();
  reply.bytes = sink->bytes();
  reply.last = sink->last();
  reply.outcome = sink->outcome().value_or(Outcome{});
  reply.misuse = sink->misuse();
  EXPECT_EQ(reply.misuse, "");
  return reply;
}

Json user_says(const std::string& text) { return {{"messages", Json::array({{{"role", "user"}, {"content", text}}})}}; }

}  // namespace cloister::engine::testing
