// Calls a dstack guest agent over its Unix socket, with the paths of either generation: the current one (dstack.sock,
// /GetQuote) and the older one (tappd.sock, /prpc/Tappd.RawQuote). Each call opens a connection of its own, so a
// restarted agent answers the next call. A call blocks its caller, at most for the time limit. Any thread. Private to
// tee and to the doctor.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/report_data.h"
#include "tee/dstack/agent_answers.h"

namespace cloister::tee {

enum class AgentGeneration { kDstack, kTappd };

struct AgentTimeouts {
  int quote_s = 30;  // the kernel itself allows this long for a quote
  int call_s = 10;
};

class AgentClient {
 public:
  // Connects and asks which agent it is. Errors: kNoTee when nobody listens, kTeeFailed when the listener is no guest agent.
  static Result<AgentClient> connect(std::string socket, const AgentTimeouts& timeouts);

  AgentGeneration generation() const { return generation_; }
  const std::string& socket() const { return socket_; }

  // Errors of all calls: kNoTee when nobody listens, kTimeout, kTeeFailed for any answer but the expected one.
  Result<AgentQuote> quote(const evidence::ReportData& report_data) const;
  Result<AgentKey> key(std::string_view path, std::string_view purpose) const;
  Result<AgentInfo> info() const;
  // kUnsupported: agents before 0.5.7 have no such call.
  Result<std::string> version() const;
  // kUnsupported: agents from mid-2026 on no longer have this call, and the older generation never had it.
  Result<void> emit_event(std::string_view name, ByteView payload) const;

 private:
  AgentClient(std::string socket, const AgentTimeouts& timeouts) : socket_(std::move(socket)), timeouts_(timeouts) {}
  std::string path_of(std::string_view call) const;
  // The caller has to overwrite a `secret` answer.
  Result<std::string> post(std::string_view call, const std::string& body, int timeout_s, bool secret = false) const;

  std::string socket_;
  AgentTimeouts timeouts_;
  AgentGeneration generation_ = AgentGeneration::kDstack;
};

}  // namespace cloister::tee
