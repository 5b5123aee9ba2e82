// The SQL texts of the tables of each version of a receipt store in SQLite.
#pragma once

namespace cloister::store {

#define NAME_TABLE                                                                        \
  "CREATE TABLE name(id INTEGER NOT NULL, owner INTEGER NOT NULL, seq INTEGER NOT NULL, " \
  "PRIMARY KEY(id, owner, seq)) STRICT, WITHOUT ROWID"
#define EVENT_HASHES_INDEX "CREATE INDEX event_hashes_served ON event_hashes(served_at)"
#define DOCUMENT_TABLE                                                                                       \
  "CREATE TABLE document(key BLOB NOT NULL, kind BLOB NOT NULL, made INTEGER NOT NULL, text BLOB NOT NULL, " \
  "PRIMARY KEY(key, kind)) STRICT"
#define DOCUMENT_INDEX "CREATE INDEX document_made ON document(made)"

//   receipt      in the order of arrival (seq); the large column is last, so that the others can be read without it. `sealed` is
//                the text that store/sealed_record.h encrypts
//   place        keyed digests of receipt ids; moment: in the order in which they are listed and age
//   name         reply ids by keyed digests of id and owner (store/store_keys.h): random keys, so as small as possible
//   event_hashes a table of its own, because they are dropped long before their receipts
//   document     public texts, not encrypted
//   state        one row. `place`, `moment`, `name` and its totals cover the receipts up to `indexed`; those after it
//                are the tail, kTail at most. Only covered receipts are deleted, so no seq is given twice. `plain`: 1
//                while pages may hold what a version without encryption wrote
//   key          ids of the lasting keys that rows may be encrypted with
inline constexpr const char* kTables[] = {
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, place BLOB NOT NULL, served_at INTEGER NOT NULL, size INTEGER NOT NULL, "
    "names BLOB NOT NULL, sealed BLOB NOT NULL) STRICT",
    "CREATE TABLE place(place BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE moment(served_at INTEGER NOT NULL, place BLOB NOT NULL, seq INTEGER NOT NULL, "
    "PRIMARY KEY(served_at, place)) STRICT, WITHOUT ROWID",
    NAME_TABLE,
    "CREATE TABLE event_hashes(seq INTEGER PRIMARY KEY, served_at INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT",
    EVENT_HASHES_INDEX,
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), indexed INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL, plain INTEGER NOT NULL) STRICT",
    "CREATE TABLE key(id BLOB NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID",
    DOCUMENT_TABLE,
    DOCUMENT_INDEX,
};

// Versions 1 and 2 kept everything unencrypted.
#define PLAIN_EVENT_HASHES_TABLE \
  "CREATE TABLE event_hashes(seq INTEGER PRIMARY KEY, served_at INTEGER NOT NULL, hashes BLOB NOT NULL) STRICT"

inline constexpr const char* kTablesOf1[] = {
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL UNIQUE, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT",
    "CREATE INDEX receipt_served ON receipt(served_at, receipt_id)",
    NAME_TABLE,
    PLAIN_EVENT_HASHES_TABLE,
    EVENT_HASHES_INDEX,
    DOCUMENT_TABLE,
    DOCUMENT_INDEX,
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), next_seq INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT"};

inline constexpr const char* kTablesOf2[] = {
    "CREATE TABLE receipt(seq INTEGER PRIMARY KEY, receipt_id BLOB NOT NULL, served_at INTEGER NOT NULL, "
    "owner BLOB NOT NULL, size INTEGER NOT NULL, reply_ids BLOB NOT NULL, legacy BLOB, receipt BLOB NOT NULL) STRICT",
    "CREATE TABLE place(receipt_id BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE moment(served_at INTEGER NOT NULL, receipt_id BLOB NOT NULL, seq INTEGER NOT NULL, "
    "PRIMARY KEY(served_at, receipt_id)) STRICT, WITHOUT ROWID",
    NAME_TABLE,
    PLAIN_EVENT_HASHES_TABLE,
    EVENT_HASHES_INDEX,
    DOCUMENT_TABLE,
    DOCUMENT_INDEX,
    "CREATE TABLE state(one INTEGER PRIMARY KEY CHECK(one = 1), indexed INTEGER NOT NULL, receipts INTEGER NOT NULL, "
    "bytes INTEGER NOT NULL, aged_to INTEGER NOT NULL) STRICT"};

#undef NAME_TABLE
#undef EVENT_HASHES_INDEX
#undef DOCUMENT_TABLE
#undef DOCUMENT_INDEX
#undef PLAIN_EVENT_HASHES_TABLE

}  // namespace cloister::store
