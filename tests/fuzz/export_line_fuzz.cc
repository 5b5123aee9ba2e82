// Lines of an export of receipts. An accepted line can be stored. It is written and accepted again with the same
// content.
#include "evidence/aci/receipt.h"
#include "fuzz.h"
#include "store/exchange/export_line.h"
#include "store/exchange/sealed_line.h"
#include "store/record.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  static const auto keys = store::StoreKeys::of_this_process();
  FUZZ_CHECK(!store::open_export_line(as_text(input), *keys).has_value());
  const auto item = store::parse_export_line(as_text(input), *keys);
  if (!item) {
    FUZZ_CHECK(item.error().code == ErrorCode::kBadReceipt && !item.error().message.empty());
    return;
  }
  if (const auto* record = std::get_if<store::ReceiptRecord>(&*item)) {
    FUZZ_CHECK(store::check_record(*record).has_value());
    const auto receipt = evidence::parse_receipt(record->receipt);
    FUZZ_CHECK(receipt.has_value() && receipt->receipt_id == record->receipt_id &&
               receipt->served_at == record->served_at);
    FUZZ_CHECK(store::unpack_ids(store::pack_ids(record->reply_ids)).value_or({}) == record->reply_ids);
  } else {
    FUZZ_CHECK(store::check_document(std::get<store::Document>(*item)).has_value());
  }
  const auto line = store::write_export_line(*item);
  FUZZ_CHECK(line.has_value() && line->find('\n') == std::string::npos);
  FUZZ_CHECK(store::open_export_line(store::seal_export_line(*line, *keys), *keys).value_or("") == *line);
  const auto again = store::parse_export_line(*line, *keys);
  FUZZ_CHECK(again.has_value() && *again == *item);
}
