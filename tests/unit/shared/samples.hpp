// Valid records and messages of every kind, for the tests of the codec.
#pragma once

#include <gridward/shared/message.hpp>
#include <string>
#include <vector>

namespace gridward::samples {

struct NamedRecord {
  std::string name;
  Record record;
};

Uuid uuid(std::uint8_t seed);  // version 7, never nil
std::vector<NamedRecord> records();
std::vector<DownMessage> downs();
// A walk of `count` points five seconds apart, with the noise of a receiver.
std::vector<TrackPoint> walk(std::size_t count);

}  // namespace gridward::samples
