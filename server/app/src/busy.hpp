#pragma once

#include <gridward/shared/message.hpp>

namespace gridward::app {

// Spread over a second and a half, so that those who were sent away together do not come back together.
Busy make_busy();

}  // namespace gridward::app
