#include "store/record.h"

#include <algorithm>

namespace cloister::store {
namespace {

constexpr UnixSeconds kLatest = std::int64_t{1} << 53;  // the largest number that JSON carries
// Measured: a row with its three index entries, and one more for each reply id.
constexpr std::uint64_t kRowBytes = 160;
constexpr std::uint64_t kNameBytes = 32;

Error refuse(const char* member, const std::string& what) {
  return fail(ErrorCode::kStoreRefused, std::string("a record's ") + member + " " + what, member);
}

Result<void> check_length(const char* member, std::size_t size, std::size_t least, std::size_t most) {
  if (size >= least && size <= most) return {};
  return refuse(member, "has " + std::to_string(size) + " bytes, expected " + std::to_string(least) + " to " +
                            std::to_string(most));
}

Result<void> check_time(const char* member, UnixSeconds time) {
  if (time >= 0 && time <= kLatest) return {};
  return refuse(member, "is no time after 1970");
}

Error damaged(const char* column) {
  return fail(ErrorCode::kStoreDamaged, std::string("the member ") + column + " is not as this program writes it");
}

template <std::size_t N>
void take(std::string_view& from, ByteArray<N>& out) {
  std::copy_n(from.begin(), N, out.begin());
  from.remove_prefix(N);
}

}  // namespace

Result<void> check_record(const ReceiptRecord& record) {
  TRY_VOID(check_length("receipt_id", record.receipt_id.size(), 1, kMostReceiptIdBytes));
  if (record.reply_ids.size() > kMostReplyIds)
    return refuse("reply_ids", "are more than " + std::to_string(kMostReplyIds));
  for (const std::string& id : record.reply_ids) TRY_VOID(check_length("reply_ids", id.size(), 1, kMostReplyIdBytes));
  TRY_VOID(check_time("served_at", record.served_at));
  TRY_VOID(check_length("receipt", record.receipt.size(), 1, kMostReceiptBytes));
  TRY_VOID(check_length("event_hashes", record.event_hashes.size(), 0, kMostEventHashBytes));
  if (record.event_hashes.size() % 32 != 0) return refuse("event_hashes", "are no multiple of 32 bytes");
  return {};
}

Result<void> check_document(const Document& document) {
  TRY_VOID(check_length("kind", document.kind.size(), 1, kMostDocumentKindBytes));
  TRY_VOID(check_length("key", document.key.size(), 1, kMostDocumentKeyBytes));
  TRY_VOID(check_length("text", document.text.size(), 0, kMostDocumentBytes));
  return check_time("made", document.made);
}

std::uint64_t record_size(const ReceiptRecord& record) {
  std::uint64_t size = kRowBytes + 3 * record.receipt_id.size() + record.receipt.size() + (record.legacy ? 129 : 0);
  for (const std::string& id : record.reply_ids) size += kNameBytes + id.size();
  return size;
}

bool same_content(const ReceiptRecord& stored, const ReceiptRecord& offered) {
  return stored.receipt_id == offered.receipt_id && stored.reply_ids == offered.reply_ids &&
         stored.owner == offered.owner && stored.served_at == offered.served_at && stored.receipt == offered.receipt &&
         stored.legacy == offered.legacy &&
         (stored.event_hashes.empty() || stored.event_hashes == offered.event_hashes);
}

std::string pack_ids(const std::vector<std::string>& ids) {
  std::string out;
  for (const std::string& id : ids) {
    out += static_cast<char>(id.size() >> 8);
    out += static_cast<char>(id.size() & 0xff);
    out += id;
  }
  return out;
}

std::string pack_legacy(const LegacySignature& legacy) {
  std::string out(as_text(legacy.request_sha256));
  out += as_text(legacy.response_sha256);
  out += as_text(legacy.ecdsa);
  return out;
}

Result<std::vector<std::string>> unpack_ids(std::string_view packed, std::size_t most) {
  std::vector<std::string> ids;
  while (!packed.empty()) {
    if (packed.size() < 2 || ids.size() == most) return damaged("reply_ids");
    const std::size_t size = static_cast<std::uint8_t>(packed[0]) << 8 | static_cast<std::uint8_t>(packed[1]);
    packed.remove_prefix(2);
    if (size == 0 || size > kMostReplyIdBytes || size > packed.size()) return damaged("reply_ids");
    ids.emplace_back(packed.substr(0, size));
    packed.remove_prefix(size);
  }
  return ids;
}

Result<LegacySignature> unpack_legacy(std::string_view packed) {
  if (packed.size() != 129) return damaged("legacy");
  LegacySignature out;
  take(packed, out.request_sha256);
  take(packed, out.response_sha256);
  take(packed, out.ecdsa);
  return out;
}

Result<Owner> unpack_owner(std::string_view bytes) {
  Owner owner;
  if (bytes.size() != owner.size()) return damaged("owner");
  take(bytes, owner);
  return owner;
}

}  // namespace cloister::store
