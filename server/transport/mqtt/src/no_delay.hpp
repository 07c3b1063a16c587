// Paho leaves Nagle's algorithm on and gives no way to its socket. The server writes a PUBACK and, a moment later, the
// receipt: Nagle holds the receipt back until the broker's kernel acknowledges the PUBACK, which it does after 40 ms,
// for it has nothing to say. Measured: 44 ms from publish to receipt, 4 ms without.
#pragma once

#include <string_view>

namespace gridward::mqtt {

// Turns Nagle off on this process's TCP connections to the port of the uri ("ssl://host:8883"). How many there were.
int set_no_delay(std::string_view uri) noexcept;

}  // namespace gridward::mqtt
