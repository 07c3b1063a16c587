// Instants as an operator writes and reads them: ISO 8601.
#pragma once

#include <chrono>
#include <gridward/shared/time.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace gridward::main_program {

// "+08:00", "-03:30", "Z"; between -12:00 and +14:00.
std::optional<std::chrono::minutes> offset_from_string(std::string_view text);
// "2026-09-28T10:00", with seconds, milliseconds and an offset where wanted: "2026-09-28T10:00:00.250+08:00". Without
// an offset it is local time at `offset`.
std::optional<UnixMs> instant_from_string(std::string_view text, std::chrono::minutes offset);

std::string to_clock_text(std::chrono::minutes of_day);           // "08:30"
std::string to_iso(UnixMs at, std::chrono::minutes offset);       // "2026-10-12T17:30:00+08:00"; milliseconds if any
std::string to_day_text(UnixMs at, std::chrono::minutes offset);  // "2026-10-12 Mon 17:30"; seconds if any

}  // namespace gridward::main_program
