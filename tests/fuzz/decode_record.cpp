#include <gridward/shared/message.hpp>

#include "round_trip.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gridward::ByteView bytes(data, size);
  const auto peeked = gridward::peek_record(bytes);
  const auto record = gridward::decode_record(bytes);
  // A receipt must be able to name each record that was taken, and what is refused must be told as it would be taken.
  if (record && (peeked.id != record->id || peeked.epoch != record->epoch || peeked.seq != record->seq ||
                 peeked.kind != gridward::kind_name(record->body))) {
    std::abort();
  }
  if (record && !gridward::validate(*record)) std::abort();
  gridward::fuzz::round_trip(bytes, gridward::decode_record, gridward::encode_record);
  return 0;
}
