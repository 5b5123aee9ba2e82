// For tests: places in which a store can be opened repeatedly, and records to put there.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/temporary_folder_testing.h"
#include "crypto/hash.h"
#include "store/open_store.h"
#include "store/record.h"

namespace cloister::store::testing {

inline constexpr UnixSeconds kStart = 1'800'000'000;

// The same for the same number, as a TEE derives them for one application.
inline std::shared_ptr<const StoreKeys> keys(int number = 0, int epoch = 1, bool lasts = true) {
  const auto derive = [number](std::string_view label) -> Result<SecretBytes> {
    return crypto::hkdf_sha256(as_bytes("keys of a test " + std::to_string(number)), {}, label, 32);
  };
  return StoreKeys::make(derive, epoch, lasts).value();
}

// The size that a store counts for a record.
inline std::uint64_t counted(const ReceiptRecord& record) {
  constexpr std::size_t kSealed = sizeof(KeyId) + crypto::kAeadExtraBytes;
  return record_size(record) + (record.event_hashes.empty() ? 0 : record.event_hashes.size() + kSealed);
}

using cloister::testing::TemporaryFolder;

inline Owner owner(int number) {
  Owner out{};
  out[0] = static_cast<std::uint8_t>(number);
  out[15] = 7;
  return out;
}

// Everything in it follows from its number.
inline ReceiptRecord record(int number, std::size_t receipt_bytes = 300) {
  ReceiptRecord out;
  char id[32];
  std::snprintf(id, sizeof id, "rcpt-%08d", number);
  out.receipt_id = id;
  out.reply_ids = {"chatcmpl-" + std::to_string(number)};
  if (number % 3 == 0) out.reply_ids.push_back("upstream-" + std::to_string(number));
  out.owner = owner(number % 3);
  out.served_at = kStart + number;
  out.receipt = "{\"receipt_id\":\"" + out.receipt_id + "\",\"padding\":\"";
  while (out.receipt.size() + 2 < receipt_bytes)
    out.receipt += static_cast<char>('a' + (out.receipt.size() * 7 + static_cast<std::size_t>(number)) % 26);
  out.receipt += "\"}";
  if (number % 2 == 0) {
    out.legacy.emplace();
    out.legacy->request_sha256.fill(static_cast<std::uint8_t>(number));
    out.legacy->response_sha256.fill(static_cast<std::uint8_t>(number >> 8));
    out.legacy->ecdsa.fill(static_cast<std::uint8_t>(number + 1));
  }
  if (number % 4 == 0)
    out.event_hashes = std::string(32 * static_cast<std::size_t>(1 + number % 5), static_cast<char>(number));
  return out;
}

inline std::vector<ReceiptRecord> records(int first, int count) {
  std::vector<ReceiptRecord> out;
  for (int i = 0; i < count; ++i) out.push_back(record(first + i));
  return out;
}

// Returns every record, page by page.
inline std::vector<ReceiptRecord> all_of(ReceiptStore& store, std::size_t page = kMostListed) {
  std::vector<ReceiptRecord> out;
  ReceiptStore::Position after;
  while (true) {
    auto more = store.list(after, page);
    EXPECT_TRUE(more) << more.error().to_string();
    if (!more || more->empty()) return out;
    after = {more->back().served_at, more->back().receipt_id};
    out.insert(out.end(), more->begin(), more->end());
  }
}

// A place where a store lasts, empty at first and removed at the end.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // Sets the place; the other options stay.
  virtual void name_in(StoreOptions& options) const = 0;
  // True when a closed store can be opened again, or opened twice at once.
  virtual bool lasts() const { return true; }

  Result<std::unique_ptr<ReceiptStore>> open(StoreOptions options = {}) const {
    name_in(options);
    if (!options.keys) options.keys = keys();
    return open_store(options);
  }
};

class MemoryPlace : public StorePlace {
 public:
  void name_in(StoreOptions& options) const override { options.memory = true; }
  bool lasts() const override { return false; }
};

class SqlitePlace : public StorePlace {
 public:
  void name_in(StoreOptions& options) const override { options.sqlite_file = file(); }
  std::filesystem::path file() const { return folder_.path() / "state" / "receipts.db"; }

 private:
  TemporaryFolder folder_;
};

}  // namespace cloister::store::testing
