#include "verify/policy/table_reader.h"

#include <limits>
#include <sstream>

#include "base/clock.h"
#include "base/encoding.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostValues = 4096;
constexpr std::size_t kMostShown = 64;
constexpr UnixSeconds kYear2100 = 4102444800;

std::string line_of(const toml::node& node) {
  return node.source().begin.line == 0 ? "" : " (line " + std::to_string(node.source().begin.line) + ")";
}

}  // namespace

std::string TableReader::full(std::string_view key) const {
  return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
}

const toml::node* TableReader::take(std::string_view key) {
  known_.emplace(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

void TableReader::complain(std::string_view key, const std::string& expected, const toml::node* node) {
  if (error_) return;
  const std::string where = node != nullptr ? line_of(*node) : "";
  error_ = fail(ErrorCode::kUsage, "policy: " + full(key) + " must be " + expected + where, full(key));
}

void TableReader::read(std::string_view key, bool& out) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (const auto value = node->value_exact<bool>()) {
    out = *value;
  } else {
    complain(key, "true or false", node);
  }
}

void TableReader::read(std::string_view key, std::string& out) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (auto value = node->value_exact<std::string>()) {
    out = std::move(*value);
  } else {
    complain(key, "a string", node);
  }
}

std::optional<std::uint64_t> TableReader::number(std::string_view key, std::uint64_t most, std::uint64_t least) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= 0 && static_cast<std::uint64_t>(*value) >= least && static_cast<std::uint64_t>(*value) <= most)
    return static_cast<std::uint64_t>(*value);
  complain(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most), node);
  return std::nullopt;
}

void TableReader::read(std::string_view key, std::uint8_t& out) {
  if (const auto value = number(key, std::numeric_limits<std::uint8_t>::max())) out = static_cast<std::uint8_t>(*value);
}

void TableReader::read(std::string_view key, std::optional<std::uint8_t>& out) {
  if (const auto value = number(key, std::numeric_limits<std::uint8_t>::max())) out = static_cast<std::uint8_t>(*value);
}

void TableReader::read(std::string_view key, std::uint32_t& out, std::uint32_t most) {
  if (const auto value = number(key, most)) out = static_cast<std::uint32_t>(*value);
}

void TableReader::read(std::string_view key, std::optional<std::size_t>& out, std::size_t least, std::size_t most) {
  if (const auto value = number(key, most, least)) out = static_cast<std::size_t>(*value);
}

void TableReader::read_from_one(std::string_view key, std::uint32_t& out) {
  if (const auto value = number(key, std::numeric_limits<std::uint32_t>::max(), 1))
    out = static_cast<std::uint32_t>(*value);
}

void TableReader::read_time(std::string_view key, std::optional<std::int64_t>& out) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  std::string text;
  if (const auto date_time = node->value_exact<toml::date_time>()) {
    std::ostringstream stream;
    stream << *date_time;
    text = stream.str();
  } else if (const auto string = node->value_exact<std::string>()) {
    text = *string;
  }
  if (const Result<UnixSeconds> time = from_rfc3339(text); time && *time < kYear2100) {
    out = *time;
  } else {
    complain(key, "a time in UTC before 2100, like 2024-03-13T00:00:00Z", node);
  }
}

std::optional<std::set<std::string>> TableReader::texts(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::nullopt;
  const toml::array* list = node->as_array();
  if (list == nullptr || list->size() > kMostValues) {
    complain(key, "a list of at most " + std::to_string(kMostValues) + " strings", node);
    return std::nullopt;
  }
  std::set<std::string> out;
  for (const toml::node& element : *list) {
    auto text = element.value_exact<std::string>();
    if (!text) {
      complain(key, "a list of strings", &element);
      return std::nullopt;
    }
    out.insert(std::move(*text));
  }
  return out;
}

void TableReader::read(std::string_view key, std::set<std::string>& out) {
  if (auto values = texts(key)) out = std::move(*values);
}

void TableReader::read(std::string_view key, std::optional<std::set<std::string>>& out) {
  if (auto values = texts(key)) out = std::move(values);
}

void TableReader::complain_of(std::string_view key, const std::string& text, const std::string& why) {
  if (error_) return;
  std::string where;
  for (const toml::node& element : *take(key)->as_array()) {
    if (where.empty() && element.value_exact<std::string>() == text) where = line_of(element);
  }
  error_ =
      fail(ErrorCode::kUsage,
           "policy: " + full(key) + " cannot hold \"" + text.substr(0, kMostShown) + "\"; " + why + where, full(key));
}

void TableReader::read_some(std::string_view key, const std::set<std::string>& allowed, std::set<std::string>& out) {
  auto values = texts(key);
  if (!values) return;
  if (values->empty() && !error_) {
    error_ = fail(ErrorCode::kUsage,
                  "policy: " + full(key) + " names no value, so nothing could ever match; leave the word out" +
                      line_of(*take(key)),
                  full(key));
  }
  std::string list;
  for (const std::string& one : allowed) list += (list.empty() ? "" : ", ") + one;
  for (const std::string& text : *values) {
    if (!allowed.contains(text)) return complain_of(key, text, "possible: " + list);
  }
  out = std::move(*values);
}

void TableReader::read_some(std::string_view key, const std::set<std::string>& allowed,
                            std::optional<std::set<std::string>>& out) {
  std::set<std::string> values;
  read_some(key, allowed, values);
  if (!values.empty()) out = std::move(values);
}

void TableReader::read_each(std::string_view key, bool (*fits)(const std::string&), const std::string& form,
                            std::optional<std::set<std::string>>& out) {
  auto values = texts(key);
  if (!values) return;
  for (const std::string& text : *values) {
    if (!fits(text)) return complain_of(key, text, "expected " + form);
  }
  out = std::move(values);
}

void TableReader::read_each(std::string_view key, bool (*fits)(const std::string&), const std::string& form,
                            std::set<std::string>& out) {
  std::optional<std::set<std::string>> values;
  read_each(key, fits, form, values);
  if (values) out = std::move(*values);
}

void TableReader::read_fitting(std::string_view key, bool (*fits)(const std::string&), const std::string& form,
                               std::string& out) {
  std::string text = out;
  read(key, text);
  if (!text.empty() && !fits(text)) return complain(key, form + ", or \"\" for any", take(key));
  out = std::move(text);
}

void TableReader::read(std::string_view key, std::size_t size, std::set<Bytes>& out) {
  constexpr std::string_view kDigest = "sha256:";
  const auto values = texts(key);
  if (!values) return;
  std::set<Bytes> read;
  for (const std::string& text : *values) {
    const bool named = size == 32 && text.starts_with(kDigest);
    Result<Bytes> bytes = from_hex(std::string_view(text).substr(named ? kDigest.size() : 0));
    if (!bytes || bytes->size() != size) {
      return complain(key, "a list of strings of " + std::to_string(2 * size) + " hex characters", take(key));
    }
    read.insert(std::move(*bytes));
  }
  out = std::move(read);
}

void TableReader::read(std::string_view key, std::size_t size, std::optional<Bytes>& out) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto text = node->value_exact<std::string>();
  Result<Bytes> bytes = from_hex(text.value_or("-"));
  if (!bytes || bytes->size() != size) {
    return complain(key, "a string of " + std::to_string(2 * size) + " hex characters", node);
  }
  out = std::move(*bytes);
}

void TableReader::read_word(std::string_view key, const std::vector<std::string>& words, std::size_t& out) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const auto text = node->value_exact<std::string>();
  std::string expected;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (text == words[i]) {
      out = i;
      return;
    }
    expected += (i == 0 ? "\"" : ", \"") + words[i] + "\"";
  }
  complain(key, "one of " + expected, node);
}

const toml::table* TableReader::table(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return nullptr;
  if (node->as_table() == nullptr) complain(key, "a table: [" + full(key) + "]", node);
  return node->as_table();
}

std::optional<Error> TableReader::error() const {
  if (error_ || table_ == nullptr) return error_;
  for (const auto& [key, node] : *table_) {
    if (known_.contains(key.str())) continue;
    const std::string name = full(key.str());
    return fail(ErrorCode::kUsage, "policy: unknown key " + name + line_of(node), name);
  }
  return std::nullopt;
}

}  // namespace cloister::verify
