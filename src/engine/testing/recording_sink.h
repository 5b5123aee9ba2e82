// Test support: a sink that records, and helpers that ask an engine and parse its replies.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/engine.h"

namespace cloister::engine::testing {

class RecordingSink : public ReplySink {
 public:
  void on_start(std::string_view content_type) override;
  void on_bytes(std::string_view bytes) override;
  void on_end(const Outcome& outcome, std::string_view last) override;
  void on_error(const Error& error) override;

  // False when the reply has not ended in time.
  bool wait_end(std::chrono::seconds limit = std::chrono::seconds(120));
  // Waits until at least this many on_bytes() calls were made.
  bool wait_pieces(std::size_t count, std::chrono::seconds limit = std::chrono::seconds(120));

  std::string content_type() const;
  // All bytes, and those of on_end().
  std::string bytes() const;
  std::string last() const;
  std::size_t pieces() const;
  std::optional<Outcome> outcome() const;
  std::optional<Error> error() const;
  // Which promise of ReplySink about the order of calls was broken; empty when none was.
  std::string misuse() const;

 private:
  void note(bool wrong, const char* what);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  bool ended_ = false;
  std::string content_type_;
  std::string bytes_;
  std::string last_;
  std::size_t pieces_ = 0;
  std::optional<Outcome> outcome_;
  std::optional<Error> error_;
  std::string misuse_;
};

struct Reply {
  std::optional<Error> refused;  // the error with which start() refused
  std::optional<Error> error;
  std::string content_type;
  std::string bytes;
  std::string last;  // the bytes that came with the end
  Outcome outcome;
  std::string misuse;

  // The buffered body; a discarded value when it is not JSON.
  Json json() const;
  // The data of each event, without [DONE].
  std::vector<Json> events() const;
  // The event names, for the dialects that have them.
  std::vector<std::string> event_names() const;
  // True when the stream ended with [DONE], and that came with the end.
  bool done_marker() const;
  // Text of choice `index`, from a buffered or streamed chat or completion reply.
  std::string text(int index = 0) const;
};

EngineRequest make_request(Route route, const Json& body, bool stream, std::string id = {});
// Starts, waits for the end, and returns everything. Fails the test when the reply never ends.
Reply ask(Engine& engine, Route route, const Json& body, bool stream = false);

Json user_says(const std::string& text);  // {"messages":[{"role":"user","content":text}]}

}  // namespace cloister::engine::testing
