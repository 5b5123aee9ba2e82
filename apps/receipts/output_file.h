// The output of an export: standard output, or a file that appears only when it is complete.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cloister::apps {

class OutputFile {
 public:
  // "" and "-" are standard output. A file gets mode 0600: receipts say who asked which model when.
  static Result<std::unique_ptr<OutputFile>> open(const std::string& path);
  // Without finish(), no file remains, and a former file of that name is unchanged.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  Result<void> write_line(std::string_view line);
  Result<void> finish();

 private:
  OutputFile(std::FILE* file, std::string path, std::string temporary)
      : file_(file), path_(std::move(path)), temporary_(std::move(temporary)) {}
  Error failed() const;

  std::FILE* file_;
  const std::string path_;
  std::string temporary_;  // empty: standard output, or finished
};

}  // namespace cloister::apps
