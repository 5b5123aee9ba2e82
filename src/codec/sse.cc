#include "codec/sse.h"

namespace cloister::codec {

Result<void> SseParser::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const SseLines::Part part = lines_.next(bytes);
    if (line_.size() + data_.size() + part.text > event_limit_bytes_) {
      return fail(ErrorCode::kBadSse, "an event is larger than " + std::to_string(event_limit_bytes_) + " bytes");
    }
    line_.append(bytes.substr(0, part.text));
    bytes.remove_prefix(part.size);
    if (!part.ends) continue;
    take_line(line_);
    line_.clear();
  }
  return {};
}

void SseParser::take_line(std::string_view line) {
  if (line.empty()) {
    if (has_data_) on_data_(data_);
    data_.clear();
    has_data_ = false;
    return;
  }
  std::size_t colon = line.find(':');
  std::string_view field = line.substr(0, colon);
  if (field != "data") return;  // comments, ids and event names hold nothing that is needed
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (has_data_) data_.push_back('\n');
  data_.append(value);
  has_data_ = true;
}

}  // namespace cloister::codec
