#include "api/auth.h"

#include <algorithm>

#include "base/file.h"
#include "crypto/hash.h"

namespace cloister::api {
namespace {

constexpr std::size_t kTokenFileLimit = 1 << 20;
constexpr std::size_t kShortestToken = 8;

Owner owner_of(std::string_view token, const store::StoreKeys& keys) {
  // Kept, so that a request allocates none.
  thread_local crypto::Sha256 hasher;
  hasher.update(as_bytes("cloister.owner.v1"));
  hasher.update(as_bytes(token));
  const crypto::Sha256Digest digest = hasher.finish();
  Owner credential;
  std::copy_n(digest.begin(), credential.size(), credential.begin());
  return keys.owner(credential);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

std::string_view token_of(const http::Headers& headers) {
  if (auto value = http::find_header(headers, "authorization")) {
    constexpr std::string_view kScheme = "bearer ";
    bool bearer = value->size() > kScheme.size() &&
                  std::equal(kScheme.begin(), kScheme.end(), value->begin(),
                             [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
    if (bearer) return trim(value->substr(kScheme.size()));
  }
  return http::find_header(headers, "x-api-key").value_or("");
}

}  // namespace

Result<BearerAuth> BearerAuth::from_file(const std::filesystem::path& path,
                                         std::shared_ptr<const store::StoreKeys> keys) {
  BearerAuth auth;
  auth.required_ = true;
  auth.keys_ = std::move(keys);
  TRY_VOID(auth.reload(path));
  return auth;
}

Result<void> BearerAuth::reload(const std::filesystem::path& path) {
  TRY(owners, read(path));
  TRY_VOID(check_apart(owners));
  auto fresh = std::make_shared<const KnownOwners>(std::move(owners));
  std::lock_guard lock(shared_->mutex);
  shared_->owners = std::move(fresh);
  shared_->version.fetch_add(1, std::memory_order_release);
  return {};
}

std::shared_ptr<const KnownOwners> BearerAuth::current(Shared& shared) {
  const std::lock_guard lock(shared.mutex);
  return shared.owners;
}

Result<void> BearerAuth::keep_apart_from(const BearerAuth& other) {
  apart_ = other.shared_;
  return check_apart(*current(*shared_));
}

Result<void> BearerAuth::check_apart(const KnownOwners& owners) const {
  if (!apart_) return {};
  const std::shared_ptr<const KnownOwners> others = current(*apart_);
  const auto is_theirs = [&](const Owner& owner) { return others->contains(owner); };
  if (std::ranges::none_of(owners, is_theirs)) return {};
  return fail(ErrorCode::kUsage,
              "one token is both a client's and the operator's: its clients could read the operator's data");
}

Result<KnownOwners> BearerAuth::read(const std::filesystem::path& path) const {
  TRY(text, read_regular_file(path, kTokenFileLimit));
  KnownOwners owners;
  std::string_view rest = text;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view token = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (token.empty() || token.front() == '#') continue;
    // A half-written file, or one that is no text at all, must not lock everybody out.
    if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7f; })) {
      return fail(ErrorCode::kUsage,
                  path.string() + " line " + std::to_string(line) + ": a token is printable ASCII without spaces");
    }
    if (token.size() < kShortestToken) {
      return fail(ErrorCode::kUsage, path.string() + " line " + std::to_string(line) + ": a token needs at least " +
                                         std::to_string(kShortestToken) + " characters");
    }
    owners.add(owner_of(token, *keys_));
  }
  if (owners.empty()) return fail(ErrorCode::kUsage, path.string() + " holds no token");
  return owners;
}

std::optional<Owner> BearerAuth::authenticate(const http::Headers& headers) const {
  if (!required_) return Owner{};
  // Two lines name two callers, and a proxy in front may have used the other one.
  const auto named = [&headers](std::string_view name) {
    return std::ranges::count(headers, name, [](const auto& header) { return std::string_view(header.first); });
  };
  if (named("authorization") > 1 || named("x-api-key") > 1) return std::nullopt;
  std::string_view token = token_of(headers);
  if (token.empty()) return std::nullopt;
  if (const auto key = http::find_header(headers, "x-api-key"); key && named("authorization") == 1 && *key != token)
    return std::nullopt;
  const Owner caller = owner_of(token, *keys_);
  return current(*shared_)->contains(caller) ? std::optional<Owner>(caller) : std::nullopt;
}

}  // namespace cloister::api
