// Just enough of MQTT 5 to find the PUBLISH packets in what a client wrote.
#include <gridward/powerloss/recording.hpp>
#include <optional>

namespace gridward::powerloss {
namespace {

struct Number {
  std::size_t value = 0;
  std::size_t bytes = 0;
};

// MQTT's variable byte integer; nothing when it is not all there.
std::optional<Number> number_at(ByteView bytes) {
  Number number;
  for (std::size_t shift = 0; number.bytes < bytes.size() && shift <= 21; shift += 7) {
    const auto byte = bytes[number.bytes++];
    number.value |= static_cast<std::size_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return number;
  }
  return std::nullopt;
}

constexpr std::uint8_t kConnect = 0x10;
constexpr std::uint8_t kPublish = 0x30;

struct Stream {
  Bytes bytes;
  bool mqtt = false;  // a browser's connection is none

  template <class F>
  void packets(const F& publish) {
    std::size_t at = 0;
    while (bytes.size() - at >= 2) {
      const ByteView rest = ByteView(bytes).subspan(at);
      const auto length = number_at(rest.subspan(1));
      if (!length || rest.size() < 1 + length->bytes + length->value) break;
      if ((rest[0] & 0xF0) == kPublish) take(rest[0], rest.subspan(1 + length->bytes, length->value), publish);
      at += 1 + length->bytes + length->value;
    }
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  }

 private:
  template <class F>
  static void take(std::uint8_t head, ByteView body, const F& publish) {
    if (body.size() < 2) return;
    const std::size_t topic_bytes = static_cast<std::size_t>(body[0]) * 256 + body[1];
    const bool has_id = (head & 0x06) != 0;
    std::size_t at = 2 + topic_bytes + (has_id ? 2 : 0);
    if (at > body.size()) return;
    const auto properties = number_at(body.subspan(at));
    if (!properties) return;
    at += properties->bytes + properties->value;
    if (at > body.size()) return;
    publish(std::string(body.begin() + 2, body.begin() + 2 + static_cast<std::ptrdiff_t>(topic_bytes)),
            Bytes(body.begin() + static_cast<std::ptrdiff_t>(at), body.end()));
  }
};

}  // namespace

std::vector<Published> published(const std::vector<Op>& ops) {
  std::vector<Published> all;
  std::map<std::pair<int, std::uint64_t>, Stream> streams;
  for (const auto& op : ops) {
    if (op.kind != OpKind::sent) continue;
    auto& stream = streams[{op.pid, op.file}];
    if (stream.bytes.empty() && !op.data.empty() && op.data[0] == kConnect) stream.mqtt = true;
    if (!stream.mqtt) continue;
    stream.bytes.insert(stream.bytes.end(), op.data.begin(), op.data.end());
    stream.packets(
        [&](std::string topic, Bytes payload) { all.push_back({op.n, op.pid, std::move(topic), std::move(payload)}); });
  }
  return all;
}

}  // namespace gridward::powerloss
