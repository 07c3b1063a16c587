#include <gtest/gtest.h>

#include <deque>
#include <gridward/powerloss/recording.hpp>

namespace gridward::powerloss {
namespace {

class Sent {
 public:
  void send(std::uint64_t socket, Bytes data) {
    const auto& kept = texts_.emplace_back(std::move(data));
    ops.push_back({.n = ops.size(), .kind = OpKind::sent, .pid = 1, .file = socket, .data = kept});
  }
  std::vector<Op> ops;

 private:
  std::deque<Bytes> texts_;
};

const Bytes kConnect{0x10, 2, 0, 0};

TEST(Published, InPiecesAndBesideOtherConnections) {
  Sent sent;
  sent.send(5, kConnect);
  sent.send(6, {'H', 'T', 'T', 'P', 0x30, 3, 0, 1, 'x', 0});
  sent.send(5, {0x30, 7, 0, 2, 'a'});            // QoS 0, the rest follows
  sent.send(5, {'b', 0, 'h', 'i', 0x32, 9, 0});  // and QoS 1, with an id and a property
  sent.send(5, {1, 'c', 0, 1, 2, 1, 0, '!', 0xC0, 0});
  const auto all = published(sent.ops);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].topic, "ab");
  EXPECT_EQ(all[0].payload, (Bytes{'h', 'i'}));
  EXPECT_EQ(all[0].n, 3U);
  EXPECT_EQ(all[1].topic, "c");
  EXPECT_EQ(all[1].payload, (Bytes{'!'}));
  EXPECT_EQ(all[1].n, 4U);
}

TEST(Published, LongOnes) {
  Sent sent;
  sent.send(5, kConnect);
  Bytes packet{0x30, 0xAC, 0x02, 0, 1, 't', 0};
  packet.resize(3 + 300, 'x');
  sent.send(5, packet);
  const auto all = published(sent.ops);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].payload, Bytes(296, 'x'));
}

TEST(Said, WholeLinesWithTheirEnd) {
  std::vector<Op> ops;
  const auto say = [&](int pid, std::string_view text) {
    ops.push_back({.n = ops.size(), .kind = OpKind::said, .pid = pid, .data = as_bytes(text)});
  };
  say(1, "sav");
  say(2, "other\n");
  say(1, "ed\nand ");
  const auto lines = said(ops);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "other");
  EXPECT_EQ(lines[1].text, "saved");
  EXPECT_EQ(lines[1].n, 2U);
  EXPECT_EQ(lines[1].pid, 1);
}

}  // namespace
}  // namespace gridward::powerloss
