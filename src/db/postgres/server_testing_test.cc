// The server of server_testing.h. It has no tests of its own, and lies in a file that only test programs compile.
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "db/postgres/server_testing.h"

namespace cloister::db::postgres::testing {
namespace {

namespace fs = std::filesystem;

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "server_testing: %s\n", what.c_str());
  std::abort();
}

}  // namespace

fs::path Server::programs() {
  std::error_code ignored;
  for (int version = 18; version >= 14; --version) {
    const fs::path folder = "/usr/lib/postgresql/" + std::to_string(version) + "/bin";
    if (fs::exists(folder / "initdb", ignored)) return folder;
  }
  return {};
}

fs::path Server::roomy_folder() {
  std::error_code code;
  const fs::space_info memory = fs::space("/dev/shm", code);
  return !code && memory.available > (1u << 30) ? fs::path("/dev/shm") : fs::temp_directory_path();
}

Server& Server::instance() {
  static Server server;
  return server;
}

// Runs `command` with output to a file, as the user that may run a server.
pid_t Server::run_as_user(const std::vector<std::string>& command) const {
  const std::string log = folder_.path() / "log";
  std::vector<char*> arguments;
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (user_ != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(group_) != 0 || ::setuid(user_) != 0)) ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // no server outlives its test
  if (::getppid() != parent) ::_exit(125);
  if (::chdir("/") != 0) ::_exit(124);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

Server::Server() {
  if (::geteuid() == 0) {
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr) user = ::getpwnam("nobody");
    if (user == nullptr) give_up("there is no user to run a server as");
    user_ = user->pw_uid;
    group_ = user->pw_gid;
    if (::chown(folder_.path().c_str(), user_, group_) != 0) give_up("cannot give the folder away");
  }
  const auto made = wait_for(run_as_user({programs() / "initdb", "-D", folder_.path() / "data", "-U", "cloister", "-A",
                                          "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"}));
  if (made != 0) give_up("initdb failed: " + read_file(folder_.path() / "log", 1 << 20).value_or(""));
  if (wait_for(run_as_user({"/bin/mkdir", "-m", "0755", socket_folder()})) != 0)
    give_up("cannot make a folder for the socket");
  start();
}

void Server::start() {
  server_ = run_as_user({programs() / "postgres", "-D", folder_.path() / "data", "-k", socket_folder(), "-c",
                         "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=64MB", "-c",
                         "unix_socket_permissions=0777"});
  for (int i = 0; i < 3000; ++i) {
    if (wait_for(run_as_user({programs() / "pg_isready", "-q", "-h", socket_folder()})) == 0) return;
    if (::waitpid(server_, nullptr, WNOHANG) == server_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  give_up("the server did not start: " + read_file(folder_.path() / "log", 1 << 20).value_or(""));
}

void Server::end(int signal) {
  if (server_ <= 0) return;
  ::kill(server_, signal);
  wait_for(server_);
  server_ = -1;
}

void Server::stop() { end(SIGINT); }
void Server::crash() { end(SIGQUIT); }

Server::~Server() { end(SIGQUIT); }

std::string Server::sql(const std::string& text) const {
  const std::string command = (programs() / "psql").string() + " -X -A -t -q -v ON_ERROR_STOP=1 -h " + socket_folder() +
                              " -U cloister -d postgres 2>&1 <<'END_OF_SQL'\n" + text + "\nEND_OF_SQL\n";
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  char chunk[4096];
  while (const std::size_t n = std::fread(chunk, 1, sizeof chunk, pipe)) out.append(chunk, n);
  EXPECT_EQ(::pclose(pipe), 0) << out;
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

TestSchema::TestSchema() {
  static int count = 0;
  name_ = "test_" + std::to_string(++count);
  Server::instance().sql("CREATE SCHEMA " + name_);
  std::ofstream(file()) << connection() << "\n";
}

TestSchema::~TestSchema() {
  Server::instance().sql("SET client_min_messages = warning; DROP SCHEMA " + name_ + " CASCADE");
}

std::string TestSchema::connection() const {
  return Server::instance().connection() + " options='-c search_path=" + name_ + "'";
}

}  // namespace cloister::db::postgres::testing
