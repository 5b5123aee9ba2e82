// The service manager that started this process, if any: systemd's notification protocol (sd_notify(3)), one datagram
// for each message to the socket that NOTIFY_SOCKET names. Without the variable nothing is sent.
#pragma once

#include <string_view>

namespace cloister::apps {

void notify_ready();
// Says that the configuration is being read anew; notify_ready() ends that state.
void notify_reloading();
void notify_stopping();
// One line for people: "waiting for the GPUs to be attested".
void notify_status(std::string_view words);

}  // namespace cloister::apps
