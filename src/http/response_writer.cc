#include "http/response_writer.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace cloister::http {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Status";
  }
}

bool is_token_character(char c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

bool may_be_set_by_handler(std::string_view name) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_character)) return false;
  for (const std::string_view own : {"content-length", "transfer-encoding", "connection", "keep-alive", "date"}) {
    if (equals_ignoring_case(name, own)) return false;
  }
  return true;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) {
    if (static_cast<unsigned char>(c) >= 0x20 || c == '\t') {
      if (c != 0x7f) out += c;
    }
  }
  out += "\r\n";
}

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  out.append(digits, end);
}

void append_framing(std::string& out, const HeadPlan& plan) {
  if (plan.framing == Framing::kLength) {
    out += "content-length: ";
    append_number(out, plan.length);
    out += "\r\n";
  } else if (plan.framing == Framing::kChunked) {
    out += "transfer-encoding: chunked\r\n";
  }
  if (!plan.keep_alive) {
    out += "connection: close\r\n";
  } else if (plan.http10) {
    out += "connection: keep-alive\r\n";
  }
}

}  // namespace

bool status_has_body(int status) { return status != 204 && status != 304; }

bool is_expected_status(int status) { return status >= 100 && status <= 599 && status != 101; }

void append_head(std::string& out, const Response& response, const HeadPlan& plan, std::string_view date) {
  const int status = response.status >= 200 && response.status <= 599 ? response.status : 500;
  out.reserve(out.size() + 256);
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += reason_phrase(status);
  out += "\r\n";
  if (!response.content_type.empty() && plan.framing != Framing::kNone) {
    append_header(out, "content-type", response.content_type);
  }
  for (const auto& [name, value] : response.headers) {
    if (may_be_set_by_handler(name)) append_header(out, name, value);
  }
  append_header(out, "date", date);
  append_framing(out, plan);
  out += "\r\n";
}

void append_trailers(std::string& out, const Headers& fields) {
  for (const auto& [name, value] : fields) {
    if (may_be_set_by_handler(name)) append_header(out, name, value);
  }
}

std::string_view DateCache::now() {
  const std::time_t second = std::time(nullptr);
  if (second != second_) {
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&second, &utc);
    // strftime's names are not used, since they follow the process's locale.
    const int size =
        std::snprintf(text_, sizeof(text_), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday], utc.tm_mday,
                      kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    size_ = static_cast<std::size_t>(std::clamp(size, 0, static_cast<int>(sizeof(text_)) - 1));
    second_ = second;
  }
  return {text_, size_};
}

}  // namespace cloister::http
