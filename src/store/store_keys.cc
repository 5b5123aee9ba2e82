#include "store/store_keys.h"

#include <string.h>

#include <algorithm>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "store/receipt_id.h"

namespace cloister::store {
namespace {

// Labels never change: stored data can be read with these keys alone.
constexpr std::string_view kIndexLabel = "cloister/v1/receipt-index-key";
constexpr std::string_view kRecordLabel = "cloister/v1/receipt-record-key/";
constexpr std::size_t kTimeBytes = 6;
constexpr std::size_t kTimeDigits = 2 * kTimeBytes;
constexpr std::size_t kIdPrefix = 5;  // "rcpt-"

crypto::HmacKey role(const SecretBytes& index, std::string_view name) {
  return crypto::HmacKey(crypto::hkdf_sha256(index.expose(), {}, name, 32).expose());
}

template <std::size_t N>
ByteArray<N> first_bytes(ByteView bytes) {
  ByteArray<N> out;
  std::copy_n(bytes.begin(), N, out.begin());
  return out;
}

Result<SecretBytes> derive_32(const StoreKeys::Derive& derive, const std::string& label) {
  TRY(secret, derive(label));
  if (secret.size() != 32)
    return fail(ErrorCode::kTeeFailed, "a derived key has " + std::to_string(secret.size()) + " bytes, expected 32");
  return secret;
}

}  // namespace

StoreKeys::StoreKeys(const SecretBytes& index, std::vector<RecordKey> records, bool lasts)
    : records_(std::move(records)),
      places_(role(index, "cloister.store.place.v1")),
      names_(role(index, "cloister.store.name.v1")),
      owners_(role(index, "cloister.store.owner.v1")),
      replies_(role(index, "cloister.reply.secret.v1")),
      lasts_(lasts) {}

Result<std::shared_ptr<const StoreKeys>> StoreKeys::make(const Derive& derive, int epoch, bool lasts) {
  if (epoch < 1 || epoch > kMostEpochs) {
    return fail(ErrorCode::kUsage, "the epoch of the receipts' key is 1 to " + std::to_string(kMostEpochs));
  }
  TRY(index, derive_32(derive, std::string(kIndexLabel)));
  std::vector<RecordKey> records;
  for (int each = epoch; each >= 1; --each) {
    TRY(key, derive_32(derive, std::string(kRecordLabel) + std::to_string(each)));
    const SecretBytes id = crypto::hkdf_sha256(key.expose(), {}, "cloister.store.key_id.v1", sizeof(KeyId));
    records.push_back({first_bytes<sizeof(KeyId)>(id.expose()), crypto::AeadKey(key.expose())});
  }
  return std::shared_ptr<const StoreKeys>(new StoreKeys(index, std::move(records), lasts));
}

std::shared_ptr<const StoreKeys> StoreKeys::of_this_process() {
  const Derive random = [](std::string_view) -> Result<SecretBytes> {
    Bytes bytes = crypto::random_bytes(32);
    SecretBytes secret{ByteView(bytes)};
    explicit_bzero(bytes.data(), bytes.size());
    return secret;
  };
  return make(random, 1, false).value();
}

const StoreKeys::RecordKey* StoreKeys::find(ByteView key_id) const {
  const auto found = std::ranges::find_if(records_, [&](const RecordKey& each) { return equal(each.id, key_id); });
  return found == records_.end() ? nullptr : &*found;
}

std::string StoreKeys::seal(ByteView associated, ByteView plain) const {
  const RecordKey& newest = records_.front();
  std::string out;
  out.reserve(newest.id.size() + plain.size() + crypto::kAeadExtraBytes);
  out.append(as_text(newest.id));
  newest.key.seal(associated, plain, out);
  return out;
}

Result<std::optional<std::string>> StoreKeys::open(ByteView associated, std::string_view sealed) const {
  if (sealed.size() < sizeof(KeyId) + crypto::kAeadExtraBytes) {
    return fail(ErrorCode::kStoreDamaged, "an encrypted text is shorter than any");
  }
  const RecordKey* key = find(as_bytes(sealed.substr(0, sizeof(KeyId))));
  if (key == nullptr) return std::optional<std::string>();
  Result<std::string> plain = key->key.open(associated, sealed.substr(sizeof(KeyId)));
  if (!plain) return fail(ErrorCode::kStoreDamaged, "an encrypted text was changed, or moved from another place");
  return std::optional(*std::move(plain));
}

// This program's ids begin with the time in clear, so that an index of places grows at its end.
Place StoreKeys::place(std::string_view receipt_id) const {
  const crypto::Sha256Digest digest = places_.mac({as_bytes(receipt_id)});
  Place out = first_bytes<sizeof(Place)>(digest);
  if (receipt_id_in(receipt_id) != receipt_id) return out;
  const Result<ByteArray<kTimeBytes>> time = from_hex_exactly<kTimeBytes>(receipt_id.substr(kIdPrefix, kTimeDigits));
  if (time) std::ranges::copy(*time, out.begin());
  return out;
}

Name StoreKeys::name(std::string_view reply_id, const Owner& owner) const {
  // The owner comes first and has one length: no id alone has the same bytes as an owner and an id.
  constexpr ByteArray<1> kIdAlone = {0}, kWithOwner = {1};
  const crypto::Sha256Digest id = names_.mac({kIdAlone, as_bytes(reply_id)});
  const crypto::Sha256Digest both = names_.mac({kWithOwner, owner, as_bytes(reply_id)});
  Name out;
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | id[i];
  out.id = static_cast<std::int64_t>(key);
  out.owner = both[0] << 8 | both[1];
  return out;
}

Owner StoreKeys::owner(const ByteArray<16>& credential) const {
  if (credential == ByteArray<16>{}) return Owner{};
  return first_bytes<sizeof(Owner)>(owners_.mac({credential}));
}

ByteArray<32> StoreKeys::reply_secret(std::string_view receipt_id) const {
  return replies_.mac({as_bytes(receipt_id)});
}

std::string key_text(ByteView key_id) { return to_hex(key_id); }

}  // namespace cloister::store
