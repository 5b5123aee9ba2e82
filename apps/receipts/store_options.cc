#include "apps/receipts/store_options.h"

#include <signal.h>
#include <string.h>

#include <filesystem>
#include <limits>

#include "apps/numbers.h"
#include "apps/tee_parts.h"
#include "base/encoding.h"
#include "base/file.h"
#include "config/option_conflicts.h"
#include "config/serve_options.h"
#include "crypto/hash.h"

namespace cloister::apps {
namespace {

std::atomic<bool> g_stop = false;
static_assert(std::atomic<bool>::is_always_lock_free, "it is set by a signal handler");

}  // namespace

void bind_store_options(CLI::App& command, StoreChoice& choice) {
  CLI::Option_group* group = command.add_option_group("store");
  group->add_option("--store", choice.file, "file of the receipts (SQLite): STATE/receipts.db of cloister serve");
  group->add_option("--postgres-file", choice.postgres_file,
                    "file with the connection string of a PostgreSQL database");
  group->require_option(1);
  CLI::Option* tee =
      command
          .add_option("--tee", choice.tee,
                      "the TEE whose keys encrypt the store, as for cloister serve; run the command inside it")
          ->check(CLI::IsMember({"auto", "dstack", "insecure-simulator"}));
  command.add_option("--tee-socket", choice.tee_socket, "as for cloister serve")->needs(tee);
  command
      .add_option("--state", choice.state_folder,
                  "the state folder, for the seed of a simulated TEE; default: that of --store")
      ->needs(tee);
  command.add_option("--receipt-key-epoch", choice.key_epoch, "as for cloister serve")
      ->check(whole_number_in(1, store::StoreKeys::kMostEpochs))
      ->capture_default_str();
  command.add_option("--key-file", choice.key_file, "64 hex digits of a key, for a private store outside a TEE")
      ->excludes(tee);
}

namespace {

Result<std::shared_ptr<const store::StoreKeys>> keys_of_file(const StoreChoice& choice) {
  constexpr std::size_t kMostBytes = 1024;
  TRY(text, read_file(choice.key_file, kMostBytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  Result<ByteArray<32>> root = from_hex_exactly<32>(text);
  explicit_bzero(text.data(), text.size());
  if (!root)
    return fail(ErrorCode::kUsage, choice.key_file + " holds no key: expected 64 hex digits (openssl rand -hex 32)");
  const SecretBytes secret{ByteView(*root)};
  explicit_bzero(root->data(), root->size());
  return store::StoreKeys::make(
      [&](std::string_view label) -> Result<SecretBytes> {
        return crypto::hkdf_sha256(secret.expose(), {}, label, 32);
      },
      choice.key_epoch, true);
}

}  // namespace

Result<std::shared_ptr<const store::StoreKeys>> chosen_keys(const StoreChoice& choice, store::Access access) {
  if (!choice.key_file.empty()) return keys_of_file(choice);
  if (choice.tee.empty()) {
    return fail(ErrorCode::kUsage,
                "receipts are encrypted: --tee names the TEE that stored them, which gives its keys only inside it; "
                "--key-file names the key of your own store");
  }
  config::ServeOptions options;
  options.tee = choice.tee;
  options.tee_socket = choice.tee_socket;
  options.state_folder = !choice.state_folder.empty() ? choice.state_folder
                         : !choice.file.empty()       ? std::filesystem::absolute(choice.file).parent_path().string()
                                                      : config::default_state_folder();
  TRY_VOID(config::check_tee_choice(options));
  // Keys from a seed that is made now would decrypt nothing in the store.
  const bool may_make = access == store::Access::kCreate;
  TRY(chosen, make_tee(options, may_make ? MissingSeed::kMake : MissingSeed::kRefuse));
  if (!chosen.tee) {
    return fail(
        ErrorCode::kUsage,
        "there is no TEE on this machine to give the store's key (--tee auto: " + chosen.why_none +
            "); --tee insecure-simulator is for the store of a simulated node, --key-file for a key of your own");
  }
  return store::StoreKeys::make([&](std::string_view label) { return chosen.tee->derive_key(label); }, choice.key_epoch,
                                true);
}

Result<std::unique_ptr<store::ReceiptStore>> open_chosen(const StoreChoice& choice,
                                                         std::shared_ptr<const store::StoreKeys> keys,
                                                         store::Access access, const Clock& clock) {
  store::StoreOptions options;
  options.keys = std::move(keys);
  options.sqlite_file = choice.file;
  options.postgres_file = choice.postgres_file;
  options.access = access;
  options.durability = store::Durability::kMachine;
  options.limits.receipt_age_s = options.limits.event_hash_age_s = std::numeric_limits<std::int64_t>::max();
  options.clock = &clock;
  return store::open_store(options);
}

const std::atomic<bool>& stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // and no SA_RESTART
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return g_stop;
}

}  // namespace cloister::apps
