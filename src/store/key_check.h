// The message when a store cannot be used with the available keys. `where` names the file or the database.
#pragma once

#include <string>

#include "store/store_keys.h"

namespace cloister::store {

inline std::string message_for_missing_key(const std::string& where, ByteView key_id, const StoreKeys& keys) {
  return where + " holds receipts that are encrypted with the key " + key_text(key_id) +
         ", and that key is not available here: the newest here is " + key_text(keys.newest()) +
         (keys.lasts() ? "" : ", which ends with this process") +
         ". The TEE of another application, another key provider or a later --receipt-key-epoch has given it. Nothing was changed; "
         "start with the keys that the receipts were stored with, or keep receipts in another place";
}

inline std::string message_for_plain_store(const std::string& where) {
  return where +
         " is of a version without encryption, and the keys here end with this process: encrypted with them, its receipts "
         "would be lost. Nothing was changed; open it in a TEE that derives keys, or keep receipts in another place";
}

}  // namespace cloister::store
