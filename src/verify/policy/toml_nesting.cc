#include "verify/policy/toml_nesting.h"

#include <vector>

namespace cloister::verify {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<std::size_t> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        continue;
      }
      take(c);
      ++at_;
      if (levels() > kMostTomlLevels) return line_;
    }
    return std::nullopt;
  }

 private:
  // Dots behind a key are those of numbers.
  std::size_t levels() const { return header_ + inside_ + (key_ > 0 ? key_ : dots_ + 1); }

  void take(char c) {
    switch (c) {
      case '.': ++dots_; break;
      case '=':
        key_ += dots_ + 1;
        dots_ = 0;
        in_value_ = true;
        break;
      case ',': end_pair(); break;
      case '\n':
        ++line_;
        if (open_.empty()) end_line();
        break;
      case '[':
      case '{': open(); break;
      case ']':
      case '}': close(); break;
      default: break;
    }
  }

  // A bracket that begins a line names a table; every other one holds a value.
  void open() {
    if (open_.empty() && !in_value_) {
      in_header_ = true;
      header_ = 0;
      return;
    }
    open_.push_back(key_ + 1);
    inside_ += open_.back();
    key_ = dots_ = 0;
  }

  void close() {
    if (in_header_) {
      header_ = dots_ + 1;
      dots_ = 0;
      in_header_ = false;
    } else if (!open_.empty()) {
      inside_ -= open_.back();
      open_.pop_back();
      key_ = dots_ = 0;
    }
  }

  void end_pair() { key_ = dots_ = 0; }

  void end_line() {
    end_pair();
    in_value_ = in_header_ = false;
  }

  // Stands behind the string afterwards; at the end of the line for a string of one line that has no end.
  void skip_string(char quote) {
    const bool many_lines = text_.substr(at_).starts_with(quote == '"' ? "\"\"\"" : "'''");
    at_ += many_lines ? 3 : 1;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++line_;
        at_ += 2;
        continue;
      }
      if (c == '\n') {
        if (!many_lines) return;
        ++line_;
      }
      if (c == quote && !many_lines) {
        ++at_;
        return;
      }
      if (c == quote && text_.substr(at_).starts_with(quote == '"' ? "\"\"\"" : "'''")) {
        at_ += 3;
        // Up to two quotes may stand in front of the three that end the string.
        while (at_ < text_.size() && text_[at_] == quote) ++at_;
        return;
      }
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0, line_ = 1;
  std::size_t header_ = 0;         // levels of the table that the last header named
  std::size_t inside_ = 0;         // levels of what is open
  std::size_t key_ = 0;            // levels of the key in front of the value
  std::size_t dots_ = 0;           // since the last part of the syntax that separates keys
  std::vector<std::size_t> open_;  // levels that each open bracket adds
  bool in_value_ = false, in_header_ = false;
};

}  // namespace

std::optional<std::size_t> find_deep_line(std::string_view toml) { return Scanner(toml).run(); }

}  // namespace cloister::verify
