// Logs once that quotes fail, with the reason, and once that they succeed again: whoever asks for reports decides how
// often they fail, and must not decide how much is logged. Any thread. Private to tee.
#pragma once

#include <atomic>
#include <string>

#include "base/bytes.h"
#include "base/log.h"
#include "base/result.h"

namespace cloister::tee {

class QuoteLog {
 public:
  explicit QuoteLog(std::string from) : from_(std::move(from)) {}

  Result<Bytes> seen(Result<Bytes> quote) {
    const bool failed = !quote.has_value();
    if (failed_.exchange(failed) == failed) return quote;
    if (failed) {
      log::warn("no quotes from " + from_ + " error=" + quote.error().to_string());
    } else {
      log::info("quotes come from " + from_ + " again");
    }
    return quote;
  }

 private:
  const std::string from_;
  std::atomic<bool> failed_ = false;
};

}  // namespace cloister::tee
