// What llama.cpp may do to the process it is linked into: nothing but compute. It writes no logs (they could hold prompts),
// starts no debugger when it aborts, and is not entered on a CPU it was not built for.
#pragma once

#include <string>

#include "base/result.h"

namespace cloister::engine::llama {

// Once for the process, before any other call into llama.cpp; later calls return the same. Any thread.
// The Error says which CPU instructions are missing.
Result<void> enter_llama();

// While it lives, the first error that llama.cpp reports on this thread is kept here. Nothing is written anywhere.
class ErrorCapture {
 public:
  ErrorCapture();
  ~ErrorCapture();
  ErrorCapture(const ErrorCapture&) = delete;
  ErrorCapture& operator=(const ErrorCapture&) = delete;
  // One line; empty when there was none.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace cloister::engine::llama
