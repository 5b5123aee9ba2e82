// Writes response heads into one buffer. No text from a handler can break out of its header line.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "http/message.h"

namespace cloister::http {

// How the client is told where the body ends.
enum class Framing {
  kLength,  // content-length
  kChunked,
  kClose,  // the body ends with the connection (streams to HTTP/1.0 clients)
  kNone,   // the status has no body (204, 304)
};

struct HeadPlan {
  Framing framing = Framing::kLength;
  std::uint64_t length = 0;  // for kLength
  bool keep_alive = true;
  bool http10 = false;  // say keep-alive explicitly
};

bool status_has_body(int status);

// True for a status that a server may send here: 100 to 599 (RFC 9110 section 15), and not 101, since no request here
// asks for another protocol (RFC 9110 section 15.2.2).
bool is_expected_status(int status);

// Appends status line, headers and the empty line. A handler's headers that only the server may set (content-length,
// transfer-encoding, connection, date) or that have an invalid name are left out, and so are control characters in
// values.
void append_head(std::string& out, const Response& response, const HeadPlan& plan, std::string_view date);

// Appends the field lines that may follow a body (RFC 9110 section 6.5.1), under the same rules.
void append_trailers(std::string& out, const Headers& fields);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7), made anew once a second. One for each loop.
class DateCache {
 public:
  std::string_view now();

 private:
  std::time_t second_ = 0;
  char text_[32] = {};
  std::size_t size_ = 0;
};

}  // namespace cloister::http
