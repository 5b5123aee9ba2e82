// libpq, loaded when the first connection is opened. No other file includes its header.
//
// The library is not linked: a node that keeps its receipts in a file does not need it, nor the libraries that it brings
// (docs/decisions/0012-durable-receipts.md).
#pragma once

#include <libpq-fe.h>

#include "base/result.h"

namespace cloister::db::postgres {

// The functions that are used, with the types of libpq's own header.
struct Library {
  decltype(&::PQconninfoParse) conninfo_parse;
  decltype(&::PQconninfoFree) conninfo_free;
  decltype(&::PQfreemem) freemem;
  decltype(&::PQconnectdbParams) connectdb_params;
  decltype(&::PQfinish) finish;
  decltype(&::PQstatus) status;
  decltype(&::PQtransactionStatus) transaction_status;
  decltype(&::PQerrorMessage) error_message;
  decltype(&::PQsocket) socket;
  decltype(&::PQsetnonblocking) setnonblocking;
  decltype(&::PQflush) flush;
  decltype(&::PQconsumeInput) consume_input;
  decltype(&::PQisBusy) is_busy;
  decltype(&::PQsendQueryParams) send_query_params;
  decltype(&::PQgetResult) get_result;
  decltype(&::PQresultStatus) result_status;
  decltype(&::PQresultErrorField) result_error_field;
  decltype(&::PQclear) clear;
  decltype(&::PQntuples) ntuples;
  decltype(&::PQgetvalue) getvalue;
  decltype(&::PQgetlength) getlength;
  decltype(&::PQgetisnull) getisnull;
  decltype(&::PQsetNoticeProcessor) set_notice_processor;
};

// Any thread. The library stays loaded until the process ends. kStoreFailed when it is missing or too old.
Result<const Library*> library();

}  // namespace cloister::db::postgres
