#include "receipts/last_event.h"

#include <algorithm>
#include <array>

namespace cloister::receipts {

bool ends_with_last_event(std::string_view piece) {
  constexpr std::array<std::string_view, 8> kLast = {"data: [DONE]",
                                                     "data:[DONE]",
                                                     "event: message_stop",
                                                     "event:message_stop",
                                                     "event: response.completed",
                                                     "event: response.failed",
                                                     "event: response.incomplete",
                                                     "event:response.completed"};
  while (piece.ends_with('\n') || piece.ends_with('\r')) piece.remove_suffix(1);
  const std::size_t line_feeds = piece.rfind("\n\n"), with_returns = piece.rfind("\r\n\r\n");
  std::size_t start = 0;
  if (line_feeds != std::string_view::npos) start = line_feeds + 2;
  if (with_returns != std::string_view::npos) start = std::max(start, with_returns + 4);
  const std::string_view event = piece.substr(start);
  return std::ranges::any_of(kLast, [&](std::string_view last) { return event.starts_with(last); });
}

}  // namespace cloister::receipts
