// Checks of drawn outlines before they are taken. Pure.
#pragma once

#include <gridward/shared/geo.hpp>
#include <optional>
#include <string>

namespace gridward::app {

// What is wrong with one outline, in words; nothing when it can be taken.
std::optional<std::string> outline_problem(const Polygon& polygon);
// Do the insides of two good outlines have more in common than the rounding of their borders (5 cm)?
bool outlines_overlap(const Polygon& a, const Polygon& b);

}  // namespace gridward::app
