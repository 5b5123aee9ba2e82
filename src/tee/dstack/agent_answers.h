// Parses the answers of a dstack guest agent strictly: bytes to values, no I/O. Both generations of the agent answer
// with the same members. Private to tee; fuzzed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "evidence/event_log.h"
#include "tee/tee.h"

namespace cloister::tee {

// All of these functions fail with kTeeFailed and name the member; no error repeats a value.

struct AgentQuote {
  Bytes quote;                          // 1 byte to 256 KiB
  std::vector<evidence::Event> events;  // the digests that the agent strips are computed again
};
// {"quote","event_log",...}. An empty quote, as agents off TDX answer, is kUnsupported.
Result<AgentQuote> parse_quote_answer(std::string_view body);

struct AgentKey {
  SecretBytes secret;                        // 32 bytes
  std::vector<std::string> signature_chain;  // 2, hex of 65 bytes each
};
// {"key","signature_chain"}, or {"k256_key","k256_signature_chain"} from the older agent.
Result<AgentKey> parse_key_answer(std::string_view body);

struct AgentInfo {
  TeeInfo info;                         // `tcb_info` is an object, in whatever form the agent sent it
  std::vector<evidence::Event> events;  // from tcb_info; empty when it holds none
};
Result<AgentInfo> parse_info_answer(std::string_view body);

// {"version",...}: at most 64 printable characters.
Result<std::string> parse_version_answer(std::string_view body);

// The agent's reason out of {"error":"..."}: at most 200 characters, unprintable ones replaced; "" when there is none.
std::string parse_error_answer(std::string_view body);

}  // namespace cloister::tee
