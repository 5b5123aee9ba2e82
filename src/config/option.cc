#include "config/option.h"

#include "store/store_keys.h"

namespace cloister::config {
namespace {

constexpr Option kOptions[] = {
#define CLOISTER_OPTION(type, name, initial, ...) Option{.member = &ServeOptions::name, __VA_ARGS__},
#include "config/serve_options.def"
#undef CLOISTER_OPTION
};

}  // namespace

std::span<const Option> serve_option_table() { return kOptions; }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    out.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

void copy_value(const Option& option, const ServeOptions& from, ServeOptions& to) {
  std::visit([&](auto member) { to.*member = from.*member; }, option.member);
}

}  // namespace cloister::config
