#include "busy.hpp"

#include <random>

namespace gridward::app {

Busy make_busy() {
  thread_local std::minstd_rand random(std::random_device{}());
  return {Millis{std::uniform_int_distribution<int>(500, 2000)(random)}};
}

}  // namespace gridward::app
