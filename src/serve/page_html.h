// The page of endpoints/page.cc. The build embeds web/node.html into the program.
#pragma once

#include <string_view>

namespace cloister::serve {

extern const std::string_view kPageHtml;

}  // namespace cloister::serve
