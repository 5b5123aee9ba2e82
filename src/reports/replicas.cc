#include "reports/replicas.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "base/encoding.h"
#include "base/log.h"
#include "codec/json.h"

namespace cloister::reports {
namespace {

constexpr std::size_t kMostReplicas = 63;
constexpr std::size_t kMostThreads = 16;
constexpr std::uint64_t kMostBytes = 8u << 20;
constexpr codec::JsonLimits kLimits = {kMostBytes, 32, 1u << 17};

constexpr std::int64_t kPauseMs = 10'000;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Result<Json> ask_one(const http::Client& client, const ReportQuery& query, const evidence::Nonce& nonce) {
  TRY(response, client.get(replica_request(query, nonce)));
  if (response.status != 200) {
    return fail(ErrorCode::kBadReport, "expected status 200, found " + std::to_string(response.status));
  }
  return parse_replica_answer(response.body, query, nonce);
}

Error no_answer(const std::string& what) { return fail(ErrorCode::kBadReport, "a replica's report: " + what); }

}  // namespace

std::string replica_request(const ReportQuery& query, const evidence::Nonce& nonce) {
  std::string path = "/v1/attestation/report?replicas=false&nonce=" + to_hex(nonce);
  path.append("&signing_algo=").append(evidence::to_text(query.algo));
  if (query.include_tls_fingerprint) path += "&include_tls_fingerprint=true";
  return path;
}

Result<Json> parse_replica_answer(std::string_view body, const ReportQuery& query, const evidence::Nonce& nonce) {
  TRY(report, codec::parse_json(body, kLimits));
  if (!report.is_object()) return no_answer("expected an object");
  report.erase("all_attestations");
  report.erase("replicas_unreachable");
  TRY(answered, codec::string_member(report, "request_nonce"));
  const auto bytes = from_hex_exactly<32>(answered);
  if (!bytes || *bytes != nonce) return no_answer("it answers another nonce");
  TRY(algo, codec::string_member(report, "signing_algo"));
  if (algo != evidence::to_text(query.algo)) return no_answer("it is about another algorithm");
  for (const char* name : {"signing_address", "intel_quote"}) {
    TRY(text, codec::string_member(report, name));
    if (text.empty()) return no_answer(std::string(name) + " is empty");
  }
  return report;
}

Result<std::unique_ptr<Replicas>> Replicas::make(const std::vector<std::string>& urls, int timeout_s) {
  if (urls.size() > kMostReplicas) {
    return fail(ErrorCode::kUsage, "expected at most 63 replicas, got " + std::to_string(urls.size()));
  }
  auto out = std::make_unique<Replicas>();
  http::ClientOptions options;
  options.connect_timeout_s = timeout_s;
  options.total_timeout_s = timeout_s;
  options.response_limit_bytes = kMostBytes;
  // It does not matter who answers: the report either proves itself or does not.
  options.verify_web_pki = false;
  // Nothing but a public nonce is sent, and a report is public.
  options.plain_http = http::PlainHttp::kAnywhere;
  for (const std::string& text : urls) {
    TRY(url, http::parse_url(text));
    out->replicas_.push_back(std::make_unique<Replica>(text, std::move(url), options));
  }
  return out;
}

Replicas::Answers Replicas::ask(const ReportQuery& query, const evidence::Nonce& nonce) const {
  std::vector<std::optional<Json>> found(replicas_.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < replicas_.size(); i = next++) {
      const Replica& replica = *replicas_[i];
      if (now_ms() < replica.not_before_ms) continue;
      Result<Json> answer = ask_one(replica.client, query, nonce);
      const bool failed = !answer.has_value();
      if (failed) replica.not_before_ms = now_ms() + kPauseMs;
      if (replica.failing.exchange(failed) != failed) {
        if (failed) {
          log::warn("replica gives no report url=" + replica.url + " error=" + answer.error().to_string());
        } else {
          log::info("replica gives reports again url=" + replica.url);
        }
      }
      if (answer) found[i] = std::move(*answer);
    }
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(replicas_.size(), kMostThreads); ++i) threads.emplace_back(work);
  work();
  threads.clear();
  Answers out;
  for (std::optional<Json>& report : found) {
    if (report) {
      out.reports.push_back(std::move(*report));
    } else {
      ++out.unreachable;
    }
  }
  return out;
}

}  // namespace cloister::reports
