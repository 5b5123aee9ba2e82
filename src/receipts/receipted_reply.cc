#include "receipts/receipted_reply.h"

#include <utility>

#include "api/aci_headers.h"
#include "api/error_response.h"
#include "base/encoding.h"
#include "store/receipt_id.h"

namespace cloister::receipts {
namespace {

bool is_event_stream(const http::Response& head) { return head.content_type.starts_with("text/event-stream"); }

}  // namespace

ReceiptedReply::ReceiptedReply(const ReceiptedReplyContext& context, std::string id, api::Call call)
    : context_(context), id_(std::move(id)), endpoint_(*call.endpoint) {
  if (context_.journal != nullptr) {
    transcript_ = make_transcript(call, *context_.journal);
    call.exchange->set_observer(transcript_);
  }
  exchange_ = std::move(call.exchange);
}

std::shared_ptr<Transcript> ReceiptedReply::make_transcript(const api::Call& call, ReceiptJournal& journal) const {
  const http::Request& request = call.exchange->request();
  ReplyFacts facts;
  facts.receipt_id = store::receipt_id_in(id_).value();
  facts.request_id = id_;
  facts.epoch = call.epoch;
  facts.owner = call.owner();
  facts.endpoint = request.path;
  facts.request_sha256 = request.body_sha256;
  facts.engine = context_.engine;
  facts.served_here = context_.served_here;
  const bool in_band = request.header("x-receipt") == "inline";
  return std::make_shared<Transcript>(journal, std::move(facts), tap_, in_band, endpoint_.anthropic_dialect);
}

std::shared_ptr<http::Exchange> ReceiptedReply::take_exchange() {
  const std::lock_guard lock(mutex_);
  return std::move(exchange_);
}

void ReceiptedReply::add_proof_headers(http::Headers& headers) const {
  headers.emplace_back("x-request-id", id_);
  // A header from another server stays.
  if (endpoint_.anthropic_dialect && author_ == Author::kThisNode) headers.emplace_back("request-id", id_);
  if (!transcript_) return;
  headers.emplace_back("x-receipt-id", transcript_->receipt_id());
  api::add_aci_headers(transcript_->epoch(), headers);
}

void ReceiptedReply::announce(http::Response head, Author author) {
  author_ = author;
  status_ = head.status;
  head_ = std::move(head);
  add_proof_headers(head_.headers);
  if (!transcript_) return;
  transcript_->set_status(status_);
  if (!is_event_stream(head_)) return;
  // The receipt names the events, and the client gets the secret that salts them.
  const evidence::SaltSeed secret = context_.keyring.store_keys()->reply_secret(transcript_->receipt_id());
  head_.headers.emplace_back("x-receipt-secret", to_hex(secret));
  transcript_->expect_events(secret);
}

void ReceiptedReply::stream(http::Response head, Author author) {
  const std::lock_guard lock(mutex_);
  if (!exchange_ || streaming_) return;
  announce(std::move(head), author);
  http::Headers& headers = head_.headers;
  if (transcript_ && transcript_->in_band()) headers.emplace_back("trailer", "x-receipt");
  if (author == Author::kThisNode) headers.emplace_back("cache-control", "no-cache");
  // nginx buffers a stream that does not say otherwise.
  if (is_event_stream(head_) && !http::find_header(headers, "x-accel-buffering")) {
    headers.emplace_back("x-accel-buffering", "no");
  }
  context_.replies.cors.decorate(exchange_->request(), headers);
  exchange_->start(std::move(head_));
  streaming_ = true;
}

void ReceiptedReply::collect(http::Response head, Author author, std::uint64_t length) {
  const std::lock_guard lock(mutex_);
  if (!exchange_) return;
  announce(std::move(head), author);
  head_.body.reserve(length);
}

bool ReceiptedReply::is_streaming() {
  const std::lock_guard lock(mutex_);
  return streaming_;
}

void ReceiptedReply::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (!exchange_) return;
  if (streaming_) {
    exchange_->write(bytes);
  } else {
    head_.body.append(bytes);
  }
}

void ReceiptedReply::end(std::string_view last) {
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  if (streaming_) {
    context_.replies.metrics.count_request(endpoint_.name, status_);
    return exchange->finish(last);
  }
  head_.body.append(last);
  api::reply(context_.replies, api::Call{std::move(exchange), &endpoint_}, std::move(head_));
}

void ReceiptedReply::fail(const Error& error) {
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  if (transcript_) transcript_->set_failure(error);
  if (!streaming_) return refuse_on(std::move(exchange), api::error_response(error, endpoint_.anthropic_dialect));
  context_.replies.metrics.count_request(endpoint_.name, error_http_status(error.code));
  if (author_ == Author::kOtherServer) return exchange->abort();
  exchange->finish("");
}

void ReceiptedReply::refuse(const api::Refusal& refusal) {
  std::shared_ptr<http::Exchange> exchange = take_exchange();
  if (!exchange) return;
  if (transcript_) transcript_->set_failure(refusal.code, refusal.status);
  refuse_on(std::move(exchange), api::to_response(refusal, endpoint_.anthropic_dialect));
}

void ReceiptedReply::refuse_on(std::shared_ptr<http::Exchange> exchange, http::Response response) {
  add_proof_headers(response.headers);
  api::reply(context_.replies, api::Call{std::move(exchange), &endpoint_}, std::move(response));
}

void ReceiptedReply::drop() { static_cast<void>(take_exchange()); }

}  // namespace cloister::receipts
