// Counts the server-sent events of one reply exactly, wherever the bytes are cut. It keeps two events: the first one,
// which holds the reply's id, and the last one with a usage object. One thread uses the counter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloister::bench {

class SseCounter {
 public:
  void reset();
  // Returns how many events these bytes completed. "data: [DONE]" and comments do not count.
  int feed(std::string_view bytes);
  std::uint64_t events() const { return events_; }
  bool saw_done() const { return saw_done_; }
  const std::string& first_event() const { return first_event_; }  // the data, without "data: "
  // Returns `completion_tokens` of the last usage object, and 0 when there was none.
  std::uint64_t completion_tokens() const { return completion_tokens_; }

 private:
  void take_line(std::string_view line);

  std::string partial_;
  std::string first_event_;
  std::uint64_t events_ = 0;
  std::uint64_t completion_tokens_ = 0;
  bool pending_ = false;  // a data line whose blank line has not come yet
  bool saw_done_ = false;
};

}  // namespace cloister::bench
