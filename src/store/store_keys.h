// StoreKeys: the keys of a receipt store, which the TEE derives for this role. Data on a disk or in a database is
// encrypted and authenticated with them, and found by keyed digests, so that nobody outside the TEE can read it or try
// out a guess on it. Replicas of one application derive the same keys. Immutable; any thread.
//
// The keys of records have epochs: the newest encrypts, all of them decrypt. The keys of digests have none, because
// digests are looked up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/hmac.h"
#include "store/receipt_store.h"

namespace cloister::store {

// Names a key of records without revealing anything about it.
using KeyId = ByteArray<8>;
// Where a receipt is found; places sort in the order of time, as ids do.
using Place = ByteArray<16>;
// Where a reply id is found: a digest of the id, and one of the id together with the owner, so that two ids of one
// owner have nothing in common. Different ids may share one, so a lookup compares the ids themselves.
struct Name {
  std::int64_t id = 0;
  std::int32_t owner = 0;  // 16 bits
  auto operator<=>(const Name&) const = default;
};

class StoreKeys {
 public:
  // 32 bytes for a label, the same for the same label.
  using Derive = std::function<Result<SecretBytes>(std::string_view label)>;
  static constexpr int kMostEpochs = 16;

  // `epoch` is the newest, 1 to kMostEpochs; those before it are derived, too. `lasts`: a later process can derive the same keys.
  static Result<std::shared_ptr<const StoreKeys>> make(const Derive& derive, int epoch, bool lasts);
  // Random keys, which end with this process.
  static std::shared_ptr<const StoreKeys> of_this_process();

  bool lasts() const { return lasts_; }
  const KeyId& newest() const { return records_.front().id; }
  bool has(ByteView key_id) const { return find(key_id) != nullptr; }

  // The key's id, then the form of crypto/aead.h. `associated` says what the text is and where it belongs.
  std::string seal(ByteView associated, ByteView plain) const;
  // Absent when it was encrypted with a key that is not among these; kStoreDamaged when it is not what was sealed.
  Result<std::optional<std::string>> open(ByteView associated, std::string_view sealed) const;

  Place place(std::string_view receipt_id) const;
  Name name(std::string_view reply_id, const Owner& owner) const;
  // The owner for a digest of a credential, in the form of stores before version 3; all zero stays all zero.
  Owner owner(const ByteArray<16>& credential) const;
  // The secret of one reply, which only its client gets (docs/spec/receipt.md).
  ByteArray<32> reply_secret(std::string_view receipt_id) const;

 private:
  struct RecordKey {
    KeyId id;
    crypto::AeadKey key;
  };
  StoreKeys(const SecretBytes& index, std::vector<RecordKey> records, bool lasts);
  const RecordKey* find(ByteView key_id) const;

  std::vector<RecordKey> records_;  // the newest first
  crypto::HmacKey places_, names_, owners_, replies_;
  bool lasts_;
};

// "0123456789abcdef": the name of a key in messages.
std::string key_text(ByteView key_id);

}  // namespace cloister::store
