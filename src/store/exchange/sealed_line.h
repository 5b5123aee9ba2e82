// The line of an export, encrypted: `cloister.sealed.v1` (docs/spec/receipt-export.md).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/store_keys.h"

namespace cloister::store {

// `line` is one that write_export_line() made. The result has no line end.
std::string seal_export_line(std::string_view line, const StoreKeys& keys);

bool is_sealed_export_line(std::string_view line);
// Returns what was sealed. kBadReceipt for another form, kStoreFailed for a key not among these, kStoreDamaged for another content.
Result<std::string> open_export_line(std::string_view line, const StoreKeys& keys);

}  // namespace cloister::store
