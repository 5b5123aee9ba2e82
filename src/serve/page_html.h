// The page of endpoints/page.cc; its text is web/node.html, put into the program by the build.
#pragma once

#include <string_view>

namespace cloister::serve {

extern const std::string_view kPageHtml;

}  // namespace cloister::serve
