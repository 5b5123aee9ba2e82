// TableReader: reads typed values from one TOML table and records the first error in it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::verify {

class TableReader {
 public:
  // `name` is the table's, for messages; empty for the file itself. A null `table` has no values.
  TableReader(const toml::table* table, std::string name) : table_(table), name_(std::move(name)) {}

  // Each function leaves `out` unchanged when the key is absent or wrong.
  void read(std::string_view key, bool& out);
  void read(std::string_view key, std::string& out);
  // Accepts values up to the greatest one of the type.
  void read(std::string_view key, std::uint8_t& out);
  void read(std::string_view key, std::optional<std::uint8_t>& out);
  void read(std::string_view key, std::uint32_t& out, std::uint32_t most = 0xffffffff);
  void read(std::string_view key, std::optional<std::size_t>& out, std::size_t least, std::size_t most);
  // Accepts every value but 0.
  void read_from_one(std::string_view key, std::uint32_t& out);
  // RFC 3339 in UTC, as a TOML date-time or a string, to seconds since 1970; before the year 2100, since no evidence is of a later time.
  void read_time(std::string_view key, std::optional<std::int64_t>& out);
  void read(std::string_view key, std::set<std::string>& out);
  void read(std::string_view key, std::optional<std::set<std::string>>& out);
  // Reads a list of words, at least one, each from `allowed`: words that can never match would make a policy stricter
  // than its author believes, or hide a typing error.
  void read_some(std::string_view key, const std::set<std::string>& allowed, std::set<std::string>& out);
  void read_some(std::string_view key, const std::set<std::string>& allowed, std::optional<std::set<std::string>>& out);
  // Reads texts each of which `fits`; `form` tells people what that means.
  void read_each(std::string_view key, bool (*fits)(const std::string&), const std::string& form,
                 std::set<std::string>& out);
  void read_each(std::string_view key, bool (*fits)(const std::string&), const std::string& form,
                 std::optional<std::set<std::string>>& out);
  // Reads a text that is empty or `fits`.
  void read_fitting(std::string_view key, bool (*fits)(const std::string&), const std::string& form, std::string& out);
  // Reads hex strings of `size` bytes each; those of 32 bytes may begin with "sha256:", as verdicts and reports write them.
  void read(std::string_view key, std::size_t size, std::set<Bytes>& out);
  // Reads a hex string of `size` bytes.
  void read(std::string_view key, std::size_t size, std::optional<Bytes>& out);
  // Reads a word and returns its index in `words`.
  void read_word(std::string_view key, const std::vector<std::string>& words, std::size_t& out);
  // A table in this one; null when it is absent.
  const toml::table* table(std::string_view key);

  // The first error; a key that was never read is an error.
  std::optional<Error> error() const;

 private:
  const toml::node* take(std::string_view key);
  void complain(std::string_view key, const std::string& expected, const toml::node* node = nullptr);
  std::optional<std::uint64_t> number(std::string_view key, std::uint64_t most, std::uint64_t least = 0);
  std::optional<std::set<std::string>> texts(std::string_view key);
  // Records an error at the element of the list `key` that is `text`.
  void complain_of(std::string_view key, const std::string& text, const std::string& why);
  std::string full(std::string_view key) const;

  const toml::table* table_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

}  // namespace cloister::verify
