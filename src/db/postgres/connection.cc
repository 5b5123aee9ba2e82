#include "db/postgres/connection.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

namespace cloister::db::postgres {
namespace {

constexpr std::size_t kMostStringBytes = 16u << 10;
constexpr std::int64_t kAnswerMs = 6000;  // longer than statement_timeout below, so that the server reports it first

std::int64_t now_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

// libpq's messages have several lines, and each ends with a line break.
std::string one_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

bool is_local(std::string_view host) {
  return host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" || host == "127.0.0.1" ||
         host == "::1";
}

struct ConnectionWords {
  std::vector<std::string> names, values;
};

Result<ConnectionWords> read_words(const Library& library, const std::filesystem::path& file) {
  Result<std::string> text = read_file(file, kMostStringBytes);
  if (!text) return fail(ErrorCode::kUsage, "the connection to PostgreSQL: " + text.error().message, file);
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(library.conninfo_free)> options(
      text->find('\0') == std::string::npos ? library.conninfo_parse(text->c_str(), &why) : nullptr,
      library.conninfo_free);
  explicit_bzero(text->data(), text->size());
  if (why != nullptr) library.freemem(why);  // it quotes the string
  if (!options)
    return fail(ErrorCode::kUsage,
                file.string() + " holds no connection string of PostgreSQL (postgresql://... or host=... user=...)",
                file);
  ConnectionWords out;
  const auto add = [&](const char* name, const char* value) { out.names.push_back(name), out.values.push_back(value); };
  bool local = true, has_ssl_mode = ::getenv("PGSSLMODE") != nullptr, named_localhost = false, has_address = false;
  add("application_name", "cloister");
  // For each host, in seconds; and for a network that swallows packets.
  add("connect_timeout", "3");
  add("tcp_user_timeout", "5000");
  add("target_session_attrs", "read-write");
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    add(option->keyword, option->val);
    const std::string_view name = option->keyword;
    if ((name == "host" || name == "hostaddr") && !is_local(option->val)) local = false;
    has_ssl_mode |= name == "sslmode";
    named_localhost |= name == "host" && std::string_view(option->val) == "localhost";
    has_address |= name == "hostaddr";
  }
  // A password for another machine is sent only to the owner of its certificate, unless the string says otherwise.
  if (!local && !has_ssl_mode) add("sslmode", "verify-full");
  // No hosts file and no name server may decide where this machine is: a password is sent there without TLS.
  if (named_localhost && !has_address) add("hostaddr", "127.0.0.1");
  add("client_encoding", "UTF8");
  return out;
}

void ignore_notices(void*, const char*) {}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Durability durability) {
  TRY(library, library());
  TRY(words, read_words(*library, file));
  std::vector<const char*> names, values;
  for (std::size_t i = 0; i < words.names.size(); ++i) {
    names.push_back(words.names[i].c_str());
    values.push_back(words.values[i].c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  // When a name occurs twice, the later one counts.
  std::unique_ptr<Connection> connection(
      new Connection(*library, library->connectdb_params(names.data(), values.data(), 0)));
  for (std::string& value : words.values) explicit_bzero(value.data(), value.size());
  if (library->status(connection->connection_) != CONNECTION_OK) {
    return connection->lost("no connection to PostgreSQL: " +
                            one_line(library->error_message(connection->connection_)));
  }
  library->set_notice_processor(connection->connection_, ignore_notices, nullptr);
  library->setnonblocking(connection->connection_, 1);
  TRY_VOID(connection->run(
      std::string("SELECT set_config('synchronous_commit', '") + (durability == Durability::kMachine ? "on" : "off") +
      "', false), set_config('statement_timeout', '5000', false), set_config('lock_timeout', '2000', false), "
      "set_config('idle_in_transaction_session_timeout', '20000', false), "
      "set_config('client_min_messages', 'warning', false)"));
  return connection;
}

Connection::~Connection() { library_.finish(connection_); }

bool Connection::in_transaction() const { return library_.transaction_status(connection_) != PQTRANS_IDLE; }

Error Connection::lost(const std::string& what) {
  broken_ = true;
  return fail(ErrorCode::kStoreFailed, what);
}

// Waits until there is something to read; or until it can write, when `writing`.
Result<void> Connection::wait_until(std::int64_t deadline_ms, bool writing) {
  while (true) {
    const std::int64_t left = deadline_ms - now_ms();
    if (left <= 0) return lost("PostgreSQL did not answer within " + std::to_string(kAnswerMs / 1000) + " s");
    pollfd one{library_.socket(connection_), static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), 0};
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return lost(std::string("cannot wait for PostgreSQL: ") + strerror(errno));
  }
}

// Uses only the server's first line and its code, since details repeat values.
Error Connection::error_of(const PGresult* result) {
  const char* state = library_.result_error_field(result, PG_DIAG_SQLSTATE);
  const char* message = library_.result_error_field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string code = state == nullptr ? "" : state;
  // Class 40: a deadlock or a collision; 08 and 57P0x: the server stops or starts; 55P03 and 57014 are timeouts and final.
  if (code.starts_with("40")) retry_ = true;
  if (code.empty() || code.starts_with("08") || code.starts_with("57P0") ||
      library_.status(connection_) != CONNECTION_OK)
    broken_ = true;
  const bool is_damage = code.starts_with("XX00") && code != "XX000";
  return fail(is_damage ? ErrorCode::kStoreDamaged : ErrorCode::kStoreFailed,
              "PostgreSQL: " + one_line(message == nullptr ? library_.error_message(connection_) : message) +
                  (code.empty() ? "" : " (" + code + ")"));
}

Result<Rows> Connection::run(const std::string& sql, const Params& params) {
  const std::int64_t deadline = now_ms() + kAnswerMs;
  const auto gone = [&] {
    return lost("the connection to PostgreSQL was lost: " + one_line(library_.error_message(connection_)));
  };
  if (library_.send_query_params(connection_, sql.c_str(), params.count(), params.types(), params.values().data(),
                                 params.lengths().data(), params.formats().data(), 1) != 1) {
    return gone();
  }
  while (const int pending = library_.flush(connection_)) {
    if (pending < 0) return gone();
    TRY_VOID(wait_until(deadline, true));
    if (library_.consume_input(connection_) != 1) return gone();
  }
  std::optional<Rows> answer;
  std::optional<Error> error;
  while (true) {
    while (library_.is_busy(connection_) != 0) {
      TRY_VOID(wait_until(deadline, false));
      if (library_.consume_input(connection_) != 1) return gone();
    }
    PGresult* result = library_.get_result(connection_);
    if (result == nullptr) break;
    Rows rows(library_, result);
    const ExecStatusType status = library_.result_status(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
      if (!error) error = error_of(result);
    } else {
      answer.emplace(std::move(rows));
    }
  }
  if (error) return std::move(*error);
  if (!answer) return gone();
  return std::move(*answer);
}

Result<Transaction> Transaction::begin(Connection& connection) {
  TRY_VOID(connection.run("BEGIN"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ != nullptr && !connection_->broken() && connection_->in_transaction())
    (void)connection_->run("ROLLBACK").has_value();
}

Result<void> Transaction::commit() {
  TRY_VOID(connection_->run("COMMIT"));
  connection_ = nullptr;
  return {};
}

}  // namespace cloister::db::postgres
