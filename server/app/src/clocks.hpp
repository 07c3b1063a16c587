// What the server knows of a handheld's clocks: docs/protocol.md, "Clocks".
#pragma once

#include <gridward/app/store.hpp>

namespace gridward::app {

// The record with its true time, when its handheld knew nothing but its wall clock and another record of that boot has
// told better; its track points go with it. Nothing: it stands as it is.
std::optional<Record> retimed(Tx& tx, std::string_view device, const Record& record);

// Whether the true time of what this record is about has to wait: its handheld knew nothing but its wall clock, and
// nothing else was heard of that boot yet. Not longer than a day: some never tell.
bool clock_awaited(Tx& tx, std::string_view device, const Record& record, UnixMs received, UnixMs now);

// Whether `record` tells its boot's clocks better than what was known. Then it is kept.
bool tells_clock(Tx& tx, std::string_view device, const Record& record);

}  // namespace gridward::app
