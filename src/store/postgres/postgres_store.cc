#include "store/postgres/postgres_store.h"
namespace cloister::store {
Result<std::unique_ptr<ReceiptStore>> open_postgres_store(const StoreOptions&) { return fail(ErrorCode::kStoreFailed, "not yet"); }
}
