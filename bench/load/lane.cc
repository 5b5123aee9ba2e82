#include "load/lane.h"

#include <algorithm>

namespace cloister::bench {
namespace {

constexpr std::size_t kReplyStartLimitBytes = 1u << 20;
constexpr std::size_t kErrorExcerptBytes = 200;

// Returns the JSON text that names the reply: the whole of a buffered reply, or the data of a stream's first event.
std::string_view first_json(std::string_view reply) {
  if (reply.starts_with('{')) return reply;
  const std::size_t at = reply.find("data:");
  if (at == std::string_view::npos) return {};
  reply.remove_prefix(at + 5);
  return reply.substr(0, reply.find('\n'));
}

}  // namespace

Lane::Lane(boost::asio::io_context& context, const Target& target, const RequestMaker& maker, SampleTally& tally,
           LaneOwner& owner, int index)
    : connection_(context, target.endpoint, *this), maker_(maker), tally_(tally), owner_(owner), index_(index) {}

void Lane::reopen() {
  connection_.close();
  connection_.open();
}

void Lane::ask(RequestMaker& maker, TimePoint since, bool sampled) {
  const std::string& request = maker.next();
  since_ = since;
  reply_start_.clear();
  if (sampled) {
    check_ = std::make_unique<SignatureCheck>();
    check_->begin(maker.last_body());
  }
  connection_.exchange(request);
}

void Lane::on_body(std::string_view bytes, TimePoint at) {
  if (fetching_signature_) return check_->add_signature(bytes);
  if (check_) check_->add_reply(bytes);
  if (check_ || reply_start_.size() < kErrorExcerptBytes) {
    reply_start_.append(bytes.substr(0, kReplyStartLimitBytes - std::min(kReplyStartLimitBytes, reply_start_.size())));
  }
  owner_.on_body(*this, bytes, at);
}

void Lane::on_reply(int status, TimePoint at) {
  if (status != 200 && !maker_.any_status()) {
    const auto what = fetching_signature_ ? std::string("the signature") : reply_start_.substr(0, kErrorExcerptBytes);
    return owner_.on_failure(
        fail(ErrorCode::kBadHttp, "expected status 200, got " + std::to_string(status) + ": " + what));
  }
  if (fetching_signature_) {
    tally_.settle(check_->judge());
    check_.reset();
    fetching_signature_ = false;
    return owner_.on_ready(*this);
  }
  owner_.on_reply(*this, at);
  if (check_) return fetch_signature();
  owner_.on_ready(*this);
}

void Lane::fetch_signature() {
  auto path = check_->signature_path(first_json(reply_start_));
  if (!path) {
    tally_.settle(path.error());
    check_.reset();
    return owner_.on_ready(*this);
  }
  fetching_signature_ = true;
  connection_.exchange(maker_.get(*path));
}

}  // namespace cloister::bench
