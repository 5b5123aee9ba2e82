#include "load/reply_reader.h"

#include <algorithm>
#include <charconv>

namespace cloister::bench {
namespace {

constexpr std::size_t kHeadLimitBytes = 64 << 10;
constexpr std::size_t kLineLimitBytes = 4 << 10;

bool equal_no_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename T>
bool parse_number(std::string_view text, int base, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

void ReplyReader::reset() {
  state_ = State::kHead;
  head_.clear();
  line_.clear();
  status_ = 0;
  closes_ = chunked_ = has_length_ = bad_length_ = false;
  left_ = 0;
}

Result<bool> ReplyReader::feed(std::string_view bytes, BodySink& sink) {
  while (!bytes.empty()) {
    switch (state_) {
      case State::kHead: {
        TRY(rest, take_head(bytes));
        bytes = rest;
        break;
      }
      case State::kFixed:
      case State::kChunkData: {
        const auto part = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
        sink.on_body(part);
        bytes.remove_prefix(part.size());
        left_ -= part.size();
        if (left_ == 0) state_ = state_ == State::kFixed ? State::kDone : State::kChunkEnd;
        break;
      }
      case State::kChunkSize:
      case State::kChunkEnd:
      case State::kTrailer: {
        TRY(complete, take_line(bytes));
        if (!complete) return false;
        if (state_ == State::kChunkSize) {
          TRY_VOID(begin_chunk());
        } else if (state_ == State::kChunkEnd) {
          if (!line_.empty()) return fail(ErrorCode::kBadHttp, "expected a line end after the chunk");
          state_ = State::kChunkSize;
        } else if (line_.empty()) {
          state_ = State::kDone;
        }
        line_.clear();
        break;
      }
      case State::kDone:
        return fail(ErrorCode::kBadHttp,
                    "expected the end of the reply, got " + std::to_string(bytes.size()) + " more bytes");
    }
  }
  return state_ == State::kDone;
}

Result<std::string_view> ReplyReader::take_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes);
  const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    if (head_.size() > kHeadLimitBytes) return fail(ErrorCode::kTooLarge, "the reply's head is longer than 64 KiB");
    return std::string_view();
  }
  const std::size_t used = end + 4 - before;
  TRY_VOID(parse_head(std::string_view(head_).substr(0, end)));
  return bytes.substr(used);
}

Result<void> ReplyReader::parse_head(std::string_view head) {
  const std::size_t first_end = std::min(head.find("\r\n"), head.size());
  const std::string_view first = head.substr(0, first_end);
  if (!first.starts_with("HTTP/1.1 ") || first.size() < 12 || !parse_number(first.substr(9, 3), 10, status_)) {
    return fail(ErrorCode::kBadHttp, "expected an HTTP/1.1 status line");
  }
  head.remove_prefix(std::min(first_end + 2, head.size()));
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    parse_header_line(head.substr(0, end));
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  if (bad_length_) return fail(ErrorCode::kBadHttp, "content-length is not a number");
  if (status_ == 204 || status_ == 304) {
    state_ = State::kDone;
  } else if (chunked_) {
    state_ = State::kChunkSize;
  } else if (has_length_) {
    state_ = left_ == 0 ? State::kDone : State::kFixed;
  } else {
    return fail(ErrorCode::kBadHttp, "expected content-length or chunked transfer-encoding");
  }
  return {};
}

void ReplyReader::parse_header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal_no_case(name, "content-length")) {
    has_length_ = true;
    bad_length_ = !parse_number(value, 10, left_);
  } else if (equal_no_case(name, "transfer-encoding")) {
    chunked_ = equal_no_case(value, "chunked");
  } else if (equal_no_case(name, "connection")) {
    closes_ = equal_no_case(value, "close");
  }
}

Result<bool> ReplyReader::take_line(std::string_view& bytes) {
  const std::size_t end = bytes.find('\n');
  line_.append(bytes.substr(0, end));
  if (line_.size() > kLineLimitBytes) return fail(ErrorCode::kBadHttp, "a chunk line is longer than 4 KiB");
  if (end == std::string_view::npos) {
    bytes = {};
    return false;
  }
  bytes.remove_prefix(end + 1);
  if (line_.empty() || line_.back() != '\r') return fail(ErrorCode::kBadHttp, "a chunk line ends without CR");
  line_.pop_back();
  return true;
}

Result<void> ReplyReader::begin_chunk() {
  const std::string_view size = trim(std::string_view(line_).substr(0, line_.find(';')));
  if (size.empty() || !parse_number(size, 16, left_)) return fail(ErrorCode::kBadHttp, "a chunk size is not hex");
  state_ = left_ == 0 ? State::kTrailer : State::kChunkData;
  return {};
}

}  // namespace cloister::bench
