// Bearer tokens from a file. A caller is known by an Owner, a digest of its token under a key of the TEE, so that
// tokens are compared in constant time and stored nowhere, and nobody who sees an Owner can try out tokens on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "api/authenticator.h"
#include "api/known_owners.h"
#include "base/owner.h"
#include "base/result.h"
#include "http/message.h"
#include "store/store_keys.h"

namespace cloister::api {

class BearerAuth final : public Authenticator {
 public:
  // Lets everybody call.
  static BearerAuth open() { return BearerAuth(); }
  // Reads one token from each line; empty lines and lines that start with '#' are left out. At least one token of at least 8 characters.
  static Result<BearerAuth> from_file(const std::filesystem::path& path, std::shared_ptr<const store::StoreKeys> keys);

  // From now on no token may be in both files, since callers of one kind would have the rights of the other. kUsage when one is.
  Result<void> keep_apart_from(const BearerAuth& other);

  bool required() const { return required_; }
  // Uses the tokens of a file from now on. When from_file() could not read the file, or it holds a token of the
  // other kind (keep_apart_from), the former tokens stay. Any thread. Whether a token is required does not
  // change.
  Result<void> reload(const std::filesystem::path& path);
  // Returns the caller's owner; absent when a token is required and the request has no known one, or two lines of
  // one name, or two tokens. Tokens come in `Authorization: Bearer` or, as Anthropic's SDKs send them, in
  // `x-api-key`.
  std::optional<Owner> authenticate(const http::Headers& headers) const;

  // The same, at once and without an allocation.
  void authenticate(const http::RequestHead& head, Done& done) override { done.now(authenticate(head.headers)); }
  // It moves when tokens are reloaded.
  std::uint64_t version() const override { return shared_->version.load(std::memory_order_acquire); }

 private:
  struct Shared {
    std::mutex mutex;
    std::shared_ptr<const KnownOwners> owners = std::make_shared<const KnownOwners>();
    std::atomic<std::uint64_t> version{0};  // moves when `owners` has changed
  };
  static std::shared_ptr<const KnownOwners> current(Shared& shared);
  Result<KnownOwners> read(const std::filesystem::path& path) const;
  Result<void> check_apart(const KnownOwners& owners) const;

  bool required_ = false;
  std::shared_ptr<const store::StoreKeys> keys_;  // null where no token is required
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::shared_ptr<Shared> apart_;  // tokens of the other kind of callers; null where there are none
};

}  // namespace cloister::api
