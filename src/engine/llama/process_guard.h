// Limits what llama.cpp may do to the process that it is linked into: it only computes. It writes no logs (they could
// hold prompts), starts no debugger when it aborts, and is not entered on a CPU that it was not built for.
#pragma once

#include <string>

#include "base/result.h"

namespace cloister::engine::llama {

// Called once in the process, before any other call into llama.cpp; later calls return the same result. Any thread. The
// Error says which CPU instructions are missing.
Result<void> enter_llama();

// While it lives, it keeps the first error that llama.cpp reports on this thread. Nothing is written anywhere.
class ErrorCapture {
 public:
  ErrorCapture();
  ~ErrorCapture();
  ErrorCapture(const ErrorCapture&) = delete;
  ErrorCapture& operator=(const ErrorCapture&) = delete;
  // One line; empty when there was no error.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace cloister::engine::llama
