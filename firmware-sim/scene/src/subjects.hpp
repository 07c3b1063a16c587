// What is wrong in the street, and how the place looks when it was put right.
#pragma once

#include <gridward/sim/scene.hpp>

#include "street.hpp"

namespace gridward::sim {

void add_subject(const Place& place, Subject subject, bool repaired, Things& things);

}  // namespace gridward::sim
