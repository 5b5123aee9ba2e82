#include "identity/identity.h"

#include <utility>

#include "base/log.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"

namespace cloister::identity {
namespace {

std::string text_or_none(const std::optional<ByteArray<32>>& digest) {
  return digest ? evidence::digest_text(*digest) : "none";
}

}  // namespace

Identity::Identity(const Keyring& keyring, const Clock& clock, const IdentityOptions& options)
    : keyring_(keyring),
      clock_(clock),
      periods_(options.keyset_days),
      tls_key_origin_(options.tls_key_origin),
      tls_spki_sha256_(options.tls_spki_sha256) {
  const std::lock_guard lock(mutex_);
  const UnixSeconds time = clock_.now();
  index_ = periods_.index(time);
  renew(time);
}

// A clock that is set back by less than a period changes nothing: clients already have the newer document, and it is
// valid at that time as well. A clock that is set back further was wrong before, so the document of the wrong time is
// dropped: it would be valid for longer than a keyset may be.
bool Identity::is_over(UnixSeconds time) const {
  const std::int64_t index = periods_.index(time);
  return index > index_ || index + 1 < index_;
}

std::shared_ptr<const Epoch> Identity::now() const {
  const UnixSeconds time = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (!is_over(time)) return current_;
    index_ = periods_.index(time);
    renew(time);
  }
  announce();
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<Identity::Document> Identity::read(const Json& value) {
  Document out;
  if (value.is_null()) return out;
  TRY(text, codec::write_jcs(value));
  out.value = value;
  out.digest = crypto::sha256(as_bytes(text));
  out.text = std::move(text);
  return out;
}

Result<void> Identity::set_model(std::shared_ptr<const Json> model) {
  TRY(document, read(model ? *model : Json()));
  return set(&Identity::model_, std::move(document));
}

Result<void> Identity::set_policy(const Json& policy) {
  TRY(document, read(policy));
  return set(&Identity::policy_, std::move(document));
}

Result<void> Identity::set(Document Identity::*which, Document document) {
  {
    const std::lock_guard lock(mutex_);
    if ((this->*which).digest == document.digest) return {};
    this->*which = std::move(document);
    begin_epoch();
  }
  announce();
  return {};
}

void Identity::set_tls_key(const ByteArray<32>& spki_sha256) {
  {
    const std::lock_guard lock(mutex_);
    if (tls_spki_sha256_ == spki_sha256) return;
    tls_spki_sha256_ = spki_sha256;
    begin_epoch();
  }
  announce();
}

void Identity::begin_epoch() {
  const UnixSeconds time = clock_.now();
  if (is_over(time)) index_ = periods_.index(time);
  renew(time);
}

void Identity::renew(UnixSeconds time) const {
  auto epoch = std::make_shared<Epoch>();
  epoch->number = current_ ? current_->number + 1 : 1;
  epoch->not_after = periods_.not_after(index_);
  epoch->keyset = keyset_document(keyring_, tls_spki_sha256_, tls_key_origin_, epoch->not_after);
  epoch->keyset_digest = crypto::sha256(as_bytes(epoch->keyset));
  epoch->keyset_digest_text = evidence::digest_text(epoch->keyset_digest);
  epoch->receipt_key_id = kReceiptKeyId;
  epoch->tls_spki_sha256 = tls_spki_sha256_;
  epoch->tls_key_origin = tls_key_origin_;
  epoch->model_digest = model_.digest;
  epoch->policy_digest = policy_.digest;
  epoch->model = model_.value;
  epoch->policy = policy_.value;
  keysets_.add(epoch->keyset_digest_text, epoch->keyset);
  if (policy_.digest) policies_.add(evidence::digest_text(*policy_.digest), policy_.text);
  log::info("identity epoch=" + std::to_string(epoch->number) + " at=" + to_rfc3339(time) +
            " keyset=" + epoch->keyset_digest_text + " not_after=" + to_rfc3339(epoch->not_after) +
            " model=" + text_or_none(epoch->model_digest) + " policy=" + text_or_none(epoch->policy_digest));
  current_ = std::move(epoch);
}

void Identity::announce() const {
  const std::lock_guard lock(listening_);
  for (const std::function<void()>& changed : listeners_) changed();
}

std::unique_ptr<Identity::Listener> Identity::on_change(std::function<void()> changed) {
  const std::lock_guard lock(listening_);
  listeners_.push_back(std::move(changed));
  return std::make_unique<Listener>(*this, std::prev(listeners_.end()));
}

Identity::Listener::~Listener() {
  const std::lock_guard lock(identity_.listening_);
  identity_.listeners_.erase(place_);
}

}  // namespace cloister::identity
