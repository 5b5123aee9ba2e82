// Replicas: other nodes of the same service, as the operator names them. Their legacy reports are asked for with the
// same nonce and listed next to the node's own, so that a client behind a load balancer finds the instance that
// answered. Nothing is verified here: each report holds its own quote, and the client's verifier verifies each. Any
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "http/client.h"
#include "reports/report_query.h"

namespace cloister::reports {

class Replicas {
 public:
  // `urls` are base URLs, at most 63 (a list of reports has at most 64). A replica that has not answered in time counts
  // as unreachable, and is not asked again for some seconds, since one that is down must not make every report wait.
  static Result<std::unique_ptr<Replicas>> make(const std::vector<std::string>& urls, int timeout_s = 10);

  struct Answers {
    std::vector<Json> reports;    // in the order of the replicas
    std::size_t unreachable = 0;  // replicas that gave no report which answers the nonce
  };
  // Blocks until all have answered or the time is over: on workers only. The replicas are told to answer for themselves
  // alone, so that two nodes that name each other do not ask each other forever.
  Answers ask(const ReportQuery& query, const evidence::Nonce& nonce) const;

  std::size_t size() const { return replicas_.size(); }

 private:
  struct Replica {
    std::string url;
    http::Client client;
    mutable std::atomic<bool> failing = false;
    mutable std::atomic<std::int64_t> not_before_ms = 0;  // time of the steady clock
    Replica(std::string url_text, http::Url url_parsed, const http::ClientOptions& options)
        : url(std::move(url_text)), client(std::move(url_parsed), options) {}
  };
  std::vector<std::unique_ptr<Replica>> replicas_;
};

// The path and query of a request to a replica.
std::string replica_request(const ReportQuery& query, const evidence::Nonce& nonce);
// The one report in a replica's answer. An error when the answer does not belong to this question.
Result<Json> parse_replica_answer(std::string_view body, const ReportQuery& query, const evidence::Nonce& nonce);

}  // namespace cloister::reports
