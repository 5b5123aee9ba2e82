#include "store/sealed_record.h"

#include <utility>

#include "store/receipt_id.h"
#include "store/record.h"

namespace cloister::store {
namespace {

constexpr std::string_view kRecordLabel = "cloister.store.receipt.v1";
constexpr std::string_view kHashesLabel = "cloister.store.event_hashes.v1";
constexpr std::size_t kNameBytes = 10;
constexpr std::size_t kOwnerBytes = sizeof(Owner);
constexpr std::size_t kLegacyBytes = 129;

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t out = 0;
  for (const char c : bytes) out = out << 8 | static_cast<std::uint8_t>(c);
  return out;
}

// What the text is and where it belongs. For each kind the label has one length, and so has what follows it.
std::string associated(std::string_view label, std::string_view place, UnixSeconds served_at) {
  std::string out(label);
  out += place;
  append_number(out, static_cast<std::uint64_t>(served_at), 8);
  return out;
}

Error damaged() { return fail(ErrorCode::kStoreDamaged, "a record is not as this program writes it"); }

// The owner; the ids in their packed form after their length in two bytes, the receipt's first; one byte that says
// whether a legacy signature follows; the receipt's text.
std::string plain_text(const ReceiptRecord& record) {
  std::vector<std::string> ids = {record.receipt_id};
  ids.insert(ids.end(), record.reply_ids.begin(), record.reply_ids.end());
  const std::string packed = pack_ids(ids);
  std::string out;
  out.reserve(kOwnerBytes + 3 + packed.size() + kLegacyBytes + record.receipt.size());
  out += as_text(record.owner);
  append_number(out, packed.size(), 2);
  out += packed;
  out += static_cast<char>(record.legacy ? 1 : 0);
  if (record.legacy) out += pack_legacy(*record.legacy);
  out += record.receipt;
  return out;
}

Result<ReceiptRecord> read_plain_text(std::string_view text) {
  const auto take = [&](std::size_t size) {
    const std::string_view out = text.substr(0, size);
    text.remove_prefix(out.size());
    return out;
  };
  ReceiptRecord record;
  TRY(owner, unpack_owner(take(kOwnerBytes)));
  record.owner = owner;
  if (text.size() < 2) return damaged();
  const std::size_t size = read_number(take(2));
  if (text.size() < size + 1) return damaged();
  TRY(ids, unpack_ids(take(size), kMostReplyIds + 1));
  if (ids.empty()) return damaged();
  record.receipt_id = std::move(ids.front());
  record.reply_ids.assign(std::make_move_iterator(ids.begin() + 1), std::make_move_iterator(ids.end()));
  const char has_legacy = take(1).front();
  if (has_legacy != 0 && has_legacy != 1) return damaged();
  if (has_legacy == 1) {
    TRY(legacy, unpack_legacy(take(kLegacyBytes)));
    record.legacy = legacy;
  }
  record.receipt = text;
  return record;
}

}  // namespace

SealedRecord seal_record(const ReceiptRecord& record, const StoreKeys& keys) {
  SealedRecord out;
  out.place = keys.place(record.receipt_id);
  out.served_at = record.served_at;
  out.size = static_cast<std::int64_t>(record_size(record));
  for (const std::string& id : record.reply_ids) {
    if (receipt_id_in(id) != record.receipt_id) out.names.push_back(keys.name(id, record.owner));
  }
  const std::string_view place = as_text(out.place);
  out.text = keys.seal(as_bytes(associated(kRecordLabel, place, record.served_at)), as_bytes(plain_text(record)));
  if (record.event_hashes.empty()) return out;
  out.event_hashes =
      keys.seal(as_bytes(associated(kHashesLabel, place, record.served_at)), as_bytes(record.event_hashes));
  return out;
}

Result<std::optional<ReceiptRecord>> open_record(const StoreKeys& keys, std::string_view place, UnixSeconds served_at,
                                                 std::string_view text) {
  TRY(plain, keys.open(as_bytes(associated(kRecordLabel, place, served_at)), text));
  if (!plain) return std::optional<ReceiptRecord>();
  TRY(record, read_plain_text(*plain));
  record.served_at = served_at;
  if (Result<void> checked = check_record(record); !checked)
    return fail(ErrorCode::kStoreDamaged, checked.error().message);
  return std::optional(std::move(record));
}

Result<std::string> open_event_hashes(const StoreKeys& keys, std::string_view place, UnixSeconds served_at,
                                      std::string_view sealed) {
  TRY(plain, keys.open(as_bytes(associated(kHashesLabel, place, served_at)), sealed));
  if (!plain) return std::string();
  if (plain->size() % 32 != 0 || plain->size() > kMostEventHashBytes) return damaged();
  return *std::move(plain);
}

std::string pack_names(const std::vector<Name>& names) {
  std::string out;
  for (const Name& name : names) {
    append_number(out, static_cast<std::uint64_t>(name.id), 8);
    append_number(out, static_cast<std::uint64_t>(name.owner), 2);
  }
  return out;
}

std::vector<Name> unpack_names(std::string_view packed) {
  std::vector<Name> out;
  if (packed.size() % kNameBytes != 0 || packed.size() > kMostReplyIds * kNameBytes) return out;
  for (; !packed.empty(); packed.remove_prefix(kNameBytes)) {
    out.push_back({static_cast<std::int64_t>(read_number(packed.substr(0, 8))),
                   static_cast<std::int32_t>(read_number(packed.substr(8, 2)))});
  }
  return out;
}

}  // namespace cloister::store
