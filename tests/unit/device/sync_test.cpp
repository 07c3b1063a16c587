// The sync machine as a script: what goes in at which moment, what must come out.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <gridward_device/sync.hpp>
#include <map>
#include <set>

namespace gridward::device {
namespace {

Uuid id_of(std::uint64_t n) {
  Uuid id;
  for (int i = 0; i < 8; ++i) id.bytes[static_cast<std::size_t>(15 - i)] = static_cast<std::uint8_t>(n >> (8 * i));
  id.bytes[0] = 1;
  return id;
}

Sha256 sha_of(std::uint8_t n) {
  Sha256 sha{};
  sha.fill(n);
  return sha;
}

const Uuid kEpoch = id_of(999);
const Uuid kStore = id_of(888);

// Runs the machine on a make-believe outbox; loads are answered at once, as the agent does.
class Script {
 public:
  explicit Script(SyncOptions options = {}, std::optional<std::uint64_t> ack = std::nullopt,
                  std::optional<Uuid> generation = std::nullopt)
      : machine(options, {kEpoch, ack, generation}, 7) {}

  void add(std::uint64_t seq, Lane lane = Lane::urgent, std::size_t size = 300) {
    records.emplace(seq, std::pair{lane, RecordInfo{seq, id_of(seq), size}});
  }
  void photo(std::uint8_t n, std::uint64_t size, bool started = false) {
    photos.push_back({sha_of(n), size, started, false});
  }

  // Everything but loads, which are answered.
  std::vector<SyncOutput> feed(const SyncInput& input) {
    std::vector<SyncOutput> rest;
    for (const auto& output : machine.handle(input, now)) {
      std::vector<SyncOutput> more;
      if (const auto* load = std::get_if<out::LoadRecords>(&output)) {
        in::RecordsLoaded answer{load->lane, {}};
        for (const auto& [seq, record] : records) {
          if (record.first == load->lane && seq > load->after_seq && answer.records.size() < load->max_records) {
            answer.records.push_back(record.second);
          }
        }
        more = feed(answer);
      } else if (const auto* media = std::get_if<out::LoadMedia>(&output)) {
        in::MediaLoaded answer;
        for (const auto& info : photos) {
          if (std::find(media->except.begin(), media->except.end(), info.sha256) == media->except.end() &&
              answer.media.size() < media->max) {
            answer.media.push_back(info);
          }
        }
        more = feed(answer);
      } else {
        if (const auto* done = std::get_if<out::MediaComplete>(&output)) forget(done->sha256);
        if (const auto* done = std::get_if<out::MediaRefused>(&output)) forget(done->sha256);
        if (const auto* done = std::get_if<out::Receipted>(&output)) {
          for (const auto& id : done->ids) {
            std::erase_if(records, [&](const auto& entry) { return entry.second.second.id == id; });
          }
        }
        rest.push_back(output);
      }
      rest.insert(rest.end(), more.begin(), more.end());
    }
    return rest;
  }
  std::size_t size_of(std::uint64_t seq) const {
    const auto found = records.find(seq);
    return found == records.end() ? 0 : found->second.second.size;
  }
  void forget(const Sha256& sha) {
    std::erase_if(photos, [&](const MediaInfo& info) { return info.sha256 == sha; });
  }
  std::vector<SyncOutput> receipt(std::vector<std::uint64_t> seqs, std::uint64_t safe = 0,
                                  const Uuid& generation = kStore, std::optional<std::uint64_t> first = std::nullopt) {
    Receipt message;
    message.first = first;
    message.epoch = kEpoch;
    message.safe = safe;
    message.generation = generation;
    for (const auto seq : seqs) message.ok.push_back(id_of(seq));
    return feed(in::Down{message});
  }
  std::vector<SyncOutput> state(std::uint8_t n, std::vector<ByteRange> missing, bool complete = false) {
    MediaState message;
    message.sha256 = sha_of(n);
    message.complete = complete;
    message.missing = std::move(missing);
    return feed(in::Down{message});
  }
  std::vector<SyncOutput> wait(Millis time) {
    now += time;
    return feed(in::Tick{});
  }
  // To the machine's own next deadline.
  std::vector<SyncOutput> wait_timer() {
    const auto timer = machine.next_timer();
    if (!timer) return {};
    now = std::max(now, *timer);
    return feed(in::Tick{});
  }
  // Start, connect, hello, greeted. Of items only the first number is heard.
  std::vector<SyncOutput> greet() {
    feed(in::Start{});
    feed(in::Connected{});
    return receipt({}, 0, kStore, 1);
  }

  Millis now{1'000};
  SyncMachine machine;
  std::map<std::uint64_t, std::pair<Lane, RecordInfo>> records;
  std::vector<MediaInfo> photos;
};

template <class T>
std::vector<T> all(const std::vector<SyncOutput>& outputs) {
  std::vector<T> found;
  for (const auto& output : outputs) {
    if (const auto* one = std::get_if<T>(&output)) found.push_back(*one);
  }
  return found;
}

TEST(Sync, GreetsBeforeItSendsAndSaysWhatItHas) {
  Script script({}, 41);
  script.add(1);
  EXPECT_EQ(all<out::Connect>(script.feed(in::Start{})).size(), 1U);
  const auto hello = all<out::PublishUp>(script.feed(in::Connected{}));
  ASSERT_EQ(hello.size(), 1U);
  EXPECT_TRUE(hello[0].hello);
  EXPECT_EQ(hello[0].ack, 41U);
  EXPECT_TRUE(hello[0].seqs.empty());
  EXPECT_FALSE(script.machine.greeted());

  const auto sent = all<out::PublishUp>(script.receipt({}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].seqs, (std::vector<std::uint64_t>{1}));
  EXPECT_TRUE(script.machine.greeted());
}

TEST(Sync, AReceiptForAnotherEpochIsNoGreeting) {
  Script script;
  script.feed(in::Start{});
  script.feed(in::Connected{});
  Receipt message;
  message.epoch = id_of(5);
  message.ok = {id_of(1)};
  EXPECT_TRUE(script.feed(in::Down{message}).empty());
  EXPECT_FALSE(script.machine.greeted());
}

TEST(Sync, HelloIsRepeatedUntilItIsAnswered) {
  Script script;
  script.feed(in::Start{});
  script.feed(in::Connected{});
  Millis last = script.now;
  Millis previous{0};
  for (int i = 0; i < 4; ++i) {
    const auto again = all<out::PublishUp>(script.wait_timer());
    ASSERT_EQ(again.size(), 1U);
    EXPECT_TRUE(again[0].hello);
    EXPECT_GT(script.now - last, previous);  // slower each time
    previous = script.now - last;
    last = script.now;
  }
}

TEST(Sync, RecordsTravelInOrderManyInAMessage) {
  Script script;
  for (std::uint64_t seq = 1; seq <= 100; ++seq) script.add(seq);
  auto sent = all<out::PublishUp>(script.greet());
  std::vector<std::uint64_t> seqs;
  for (const auto& message : sent) {
    EXPECT_LE(message.seqs.size(), 64U);
    seqs.insert(seqs.end(), message.seqs.begin(), message.seqs.end());
  }
  ASSERT_EQ(seqs.size(), 100U);
  EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end()));
}

TEST(Sync, AMessageIsLimitedInBytes) {
  SyncOptions options;
  options.message_bytes = 1'000;
  options.first_window = 8;
  Script script(options);
  for (std::uint64_t seq = 1; seq <= 5; ++seq) script.add(seq, Lane::urgent, 400);
  script.add(6, Lane::urgent, 5'000);  // alone, even though it is too long
  const auto sent = all<out::PublishUp>(script.greet());
  ASSERT_EQ(sent.size(), 4U);
  EXPECT_EQ(sent[0].seqs, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(sent[2].seqs, (std::vector<std::uint64_t>{5}));
  EXPECT_EQ(sent[3].seqs, (std::vector<std::uint64_t>{6}));
}

TEST(Sync, NeverMoreThanTheWindowInTheAir) {
  SyncOptions options;
  options.message_records = 1;
  Script script(options);
  for (std::uint64_t seq = 1; seq <= 100; ++seq) script.add(seq);
  auto in_air = all<out::PublishUp>(script.greet());
  EXPECT_EQ(in_air.size(), options.first_window);  // begins slowly
  std::size_t most = in_air.size();
  std::uint64_t next = 1;
  while (next <= 100) {
    script.receipt({next++});
    most = std::max(most, script.machine.in_flight());
  }
  EXPECT_EQ(most, options.window);
  EXPECT_EQ(script.machine.in_flight(), 0U);
}

TEST(Sync, LanesSignAndReportThenPhotosThenTracks) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.add(1, Lane::bulk);
  script.add(2, Lane::urgent);
  script.photo(1, 1'000);
  const auto outputs = script.greet();
  std::vector<std::string> order;
  for (const auto& output : outputs) {
    if (const auto* up = std::get_if<out::PublishUp>(&output)) {
      order.push_back(up->seqs == std::vector<std::uint64_t>{2} ? "report" : "track");
    }
    if (std::holds_alternative<out::PublishPiece>(output)) order.push_back("photo");
  }
  EXPECT_EQ(order, (std::vector<std::string>{"report", "photo", "track"}));
}

TEST(Sync, ANewReportOvertakesPhotosThatWait) {
  Script script;
  script.photo(1, 40'000'000);
  script.greet();
  for (int i = 0; i < 20; ++i) script.state(1, {{1'000'000, 39'000'000}});
  EXPECT_LE(script.machine.in_flight(), 6U);  // two slots stay free
  script.add(1);
  const auto sent = script.feed(in::WorkAdded{});
  ASSERT_FALSE(sent.empty());
  EXPECT_TRUE(std::holds_alternative<out::PublishUp>(sent[0]));
}

TEST(Sync, AReceiptStopsTheSendingAndTellsTheTime) {
  Script script;
  script.add(1);
  script.greet();
  script.now += Millis{250};
  const auto outputs = script.receipt({1}, 17);
  EXPECT_EQ(all<out::Receipted>(outputs), (std::vector<out::Receipted>{{{id_of(1)}}}));
  EXPECT_EQ(all<out::Safe>(outputs), (std::vector<out::Safe>{{kStore, 17}}));
  ASSERT_EQ(all<out::ServerNow>(outputs).size(), 1U);
  EXPECT_EQ(all<out::ServerNow>(outputs)[0].uncertainty, Millis{250});
  EXPECT_FALSE(script.machine.next_timer());
}

TEST(Sync, BadIsRememberedAndNotSentAgain) {
  Script script;
  script.add(1);
  script.add(2);
  script.greet();
  Receipt message;
  message.epoch = kEpoch;
  message.generation = kStore;
  message.ok = {id_of(2)};
  message.bad = {{id_of(1), ErrorCode::unknown_category, "category: 没有这个类别"}};
  const auto outputs = script.feed(in::Down{message});
  ASSERT_EQ(all<out::Refused>(outputs).size(), 1U);
  EXPECT_EQ(all<out::Refused>(outputs)[0].bad.code, ErrorCode::unknown_category);
  EXPECT_EQ(script.machine.in_flight(), 0U);
  EXPECT_FALSE(script.machine.next_timer());
}

TEST(Sync, SilenceIsAnsweredByOneMessageAtATimeEverSlower) {
  SyncOptions options;
  options.message_records = 1;
  options.first_window = 4;
  Script script(options);
  for (std::uint64_t seq = 1; seq <= 4; ++seq) script.add(seq);
  ASSERT_EQ(all<out::PublishUp>(script.greet()).size(), 4U);
  // The four were sent at once but wait for slightly different times.
  std::vector<out::PublishUp> again;
  for (int i = 0; i < 4; ++i) {
    for (auto& message : all<out::PublishUp>(script.wait_timer())) again.push_back(message);
  }
  ASSERT_FALSE(again.empty());
  EXPECT_LE(script.machine.in_flight(), 4U);
  // From now on one at a time, waiting longer and longer, never longer than the limit and its jitter.
  Millis longest{0};
  for (int i = 0; i < 8; ++i) {
    const auto before = script.now;
    EXPECT_LE(all<out::PublishUp>(script.wait_timer()).size(), 1U);
    longest = std::max(longest, script.now - before);
  }
  EXPECT_GT(longest, options.answer_wait * 2);
  EXPECT_LE(longest, options.answer_wait_max * 5 / 4);
  // The server is back: everything goes through.
  for (int round = 0; round < 10; ++round) {
    for (std::uint64_t seq = 1; seq <= 4; ++seq) script.receipt({seq});
  }
  EXPECT_EQ(script.machine.in_flight(), 0U);
}

TEST(Sync, AfterADisconnectEverythingUnreceiptedGoesAgainInOrder) {
  Script script;
  script.add(1);
  script.add(2, Lane::bulk);
  script.greet();
  script.add(3);
  script.feed(in::WorkAdded{});
  script.feed(in::Disconnected{});
  EXPECT_EQ(script.machine.in_flight(), 0U);
  EXPECT_EQ(all<out::Connect>(script.wait_timer()).size(), 1U);
  script.feed(in::Connected{});
  const auto sent = all<out::PublishUp>(script.receipt({}));
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].seqs, (std::vector<std::uint64_t>{1, 3}));
  EXPECT_EQ(sent[1].seqs, (std::vector<std::uint64_t>{2}));
}

TEST(Sync, ALateReceiptStillCounts) {
  Script script;
  script.add(1);
  script.greet();
  script.feed(in::Disconnected{});
  script.wait_timer();
  script.feed(in::Connected{});
  const auto outputs = script.receipt({1});
  EXPECT_EQ(all<out::Receipted>(outputs).size(), 1U);
  EXPECT_TRUE(all<out::PublishUp>(outputs).empty());  // nothing is left to send
}

TEST(Sync, ReconnectBacksOffWithFullJitter) {
  SyncOptions options;
  Millis longest{0};
  Millis shortest{1'000'000};
  Script script(options);
  script.feed(in::Start{});
  for (int i = 0; i < 200; ++i) {
    script.feed(in::ConnectFailed{});
    const auto before = script.now;
    EXPECT_EQ(all<out::Connect>(script.wait_timer()).size(), 1U);
    const auto waited = script.now - before;
    if (i == 0) {
      EXPECT_LE(waited, options.reconnect_first);
    }
    EXPECT_LE(waited, options.reconnect_max);
    longest = std::max(longest, waited);
    shortest = std::min(shortest, waited);
  }
  EXPECT_GT(longest, options.reconnect_max * 9 / 10);
  EXPECT_LT(shortest, options.reconnect_max / 20);  // full jitter: also nearly at once
}

TEST(Sync, BeingThrownOutAtOnceIsNoSuccess) {
  SyncOptions options;
  Script script(options);
  script.feed(in::Start{});
  Millis longest{0};
  for (int i = 0; i < 60; ++i) {
    script.feed(in::Connected{});
    script.now += Millis{200};
    script.feed(in::Disconnected{});
    const auto before = script.now;
    script.wait_timer();
    longest = std::max(longest, script.now - before);
  }
  EXPECT_GT(longest, options.reconnect_max / 2);
  // A healthy stretch resets it.
  script.feed(in::Connected{});
  script.now += options.healthy_after;
  script.feed(in::Disconnected{});
  const auto before = script.now;
  script.wait_timer();
  EXPECT_LE(script.now - before, options.reconnect_first);
}

TEST(Sync, AConnectivityEventEndsTheWait) {
  Script script;
  script.feed(in::Start{});
  for (int i = 0; i < 8; ++i) {
    script.feed(in::ConnectFailed{});
    script.wait_timer();
  }
  script.feed(in::ConnectFailed{});
  EXPECT_EQ(all<out::Connect>(script.feed(in::NetworkChanged{})).size(), 1U);
  EXPECT_TRUE(script.feed(in::NetworkChanged{}).empty());  // one attempt at a time
}

TEST(Sync, BusyIsRespected) {
  Script script;
  script.add(1);
  script.greet();
  const auto outputs = script.feed(in::Down{Busy{Millis{5'000}}});
  EXPECT_EQ(all<out::Waiting>(outputs).size(), 1U);
  EXPECT_EQ(script.machine.in_flight(), 0U);
  EXPECT_TRUE(all<out::PublishUp>(script.wait(Millis{4'999})).empty());
  const auto sent = all<out::PublishUp>(script.wait(Millis{2'501}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].seqs, (std::vector<std::uint64_t>{1}));
}

// A restored server knows no record that names the photo.
TEST(Sync, BusyAgainAndAgainAsksForAReceipt) {
  Script script({}, std::nullopt, kStore);
  script.photo(1, 1'000);
  script.greet();
  bool greeted = false;
  for (int i = 0; i < 3 && !greeted; ++i) {
    script.feed(in::Down{Busy{Millis{500}}});
    for (const auto& up : all<out::PublishUp>(script.wait_timer())) greeted = greeted || up.hello;
  }
  EXPECT_TRUE(greeted);
  EXPECT_EQ(all<out::Restored>(script.receipt({}, 0, id_of(777))).size(), 1U);
}

TEST(Sync, ARefusedPublishIsNotRetriedForever) {
  Script script;
  script.add(1);
  auto sent = all<out::PublishUp>(script.greet());
  ASSERT_EQ(sent.size(), 1U);
  Millis waited{0};
  int tries = 0;
  while (waited < std::chrono::hours(24)) {
    EXPECT_EQ(all<out::LinkRefused>(script.feed(in::PublishRefused{sent[0].token, 0x87})).size(), 1U);
    const auto before = script.now;
    sent = all<out::PublishUp>(script.wait_timer());
    ASSERT_EQ(sent.size(), 1U);
    waited += script.now - before;
    ++tries;
  }
  EXPECT_LT(tries, 40);  // about one an hour in the end
}

TEST(Sync, ABrokerThatRefusesAndDisconnectsIsNotHammered) {
  Script script;
  script.feed(in::Start{});
  int connects = 0;
  const auto end = script.now + std::chrono::hours(24);
  while (script.now < end) {
    const auto hello = all<out::PublishUp>(script.feed(in::Connected{}));
    ASSERT_EQ(hello.size(), 1U);
    script.feed(in::PublishRefused{hello[0].token, 0x87});
    script.feed(in::Disconnected{});
    ASSERT_EQ(all<out::Connect>(script.wait_timer()).size(), 1U);
    ++connects;
  }
  EXPECT_LT(connects, 40);
}

TEST(Sync, APhotoGoesInPiecesAndIsFinishedOnce) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.photo(1, 150'000);
  auto outputs = script.greet();
  EXPECT_EQ(all<out::MediaStarted>(outputs).size(), 1U);
  auto pieces = all<out::PublishPiece>(outputs);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].offset, 0U);
  EXPECT_EQ(pieces[0].length, 65'536U);
  EXPECT_EQ(pieces[2].offset + pieces[2].length, 150'000U);
  script.state(1, {{65'536, 84'464}});
  outputs = script.state(1, {}, true);
  EXPECT_EQ(all<out::MediaComplete>(outputs).size(), 1U);
  EXPECT_EQ(script.machine.in_flight(), 0U);
}

TEST(Sync, AfterARestartTheServerIsAskedAndOnlyGapsAreSent) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.photo(1, 1'000'000, true);
  auto pieces = all<out::PublishPiece>(script.greet());
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].length, 0U);
  EXPECT_EQ(pieces[0].size, 1'000'000U);
  pieces = all<out::PublishPiece>(script.state(1, {{100, 50}, {900'000, 10'000}}));
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_EQ(pieces[0].offset, 100U);
  EXPECT_EQ(pieces[0].length, 50U);
  EXPECT_EQ(pieces[1].offset, 900'000U);
  EXPECT_EQ(pieces[1].length, 10'000U);
}

TEST(Sync, MissingRangesBeyondTheFileAreIgnored) {
  Script script;
  script.photo(1, 1'000, true);
  script.greet();
  const auto pieces = all<out::PublishPiece>(script.state(1, {{900, 5'000}, {2'000, 10}, {10, 0}}));
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].offset, 900U);
  EXPECT_EQ(pieces[0].length, 100U);
}

TEST(Sync, AnInterruptedPhotoSendsAtMostTheWindowAgain) {
  Script script;
  constexpr std::uint64_t kSize = 5'000'000;
  constexpr std::uint64_t kGrain = 4'096;  // every piece but the last is a multiple
  script.photo(1, kSize);
  std::vector<bool> have(kSize / kGrain + 1, false);
  std::uint64_t sent_bytes = 0;
  int cuts = 0;
  std::vector<out::PublishPiece> air;
  auto take = [&](const std::vector<SyncOutput>& outputs) {
    for (const auto& piece : all<out::PublishPiece>(outputs)) {
      sent_bytes += piece.length;
      air.push_back(piece);
    }
  };
  const auto missing = [&] {
    std::vector<ByteRange> ranges;
    for (std::uint64_t at = 0; at < kSize; at += kGrain) {
      if (have[at / kGrain]) continue;
      if (ranges.empty() || ranges.back().offset + ranges.back().length != at) ranges.push_back({at, 0});
      ranges.back().length += std::min(kGrain, kSize - at);
    }
    return ranges;
  };
  std::uint64_t lost_bytes = 0;
  take(script.greet());
  bool complete = false;
  for (int step = 0; step < 10'000 && !complete; ++step) {
    if (step % 5 == 4 && cuts < 20) {
      ++cuts;
      for (const auto& piece : air) lost_bytes += piece.length;
      EXPECT_LE(air.size(), 8U);
      air.clear();
      script.feed(in::Disconnected{});
      script.wait_timer();
      script.feed(in::Connected{});
      take(script.receipt({}));
      continue;
    }
    ASSERT_FALSE(air.empty());
    const auto piece = air.front();
    air.erase(air.begin());
    for (auto at = piece.offset; at < piece.offset + piece.length; at += kGrain) have[at / kGrain] = true;
    const auto gaps = missing();
    complete = gaps.empty();
    take(script.state(1, gaps, complete));
  }
  EXPECT_TRUE(complete);
  EXPECT_GE(cuts, 5);
  EXPECT_EQ(sent_bytes, kSize + lost_bytes);  // nothing twice but what was in the air at a cut
}

TEST(Sync, PieceSizeFollowsTheLink) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.photo(1, 60'000'000);
  auto pieces = all<out::PublishPiece>(script.greet());
  std::uint64_t largest = 0;
  std::uint64_t end = 0;
  for (int i = 0; i < 10; ++i) {
    for (const auto& piece : pieces) {
      largest = std::max(largest, piece.length);
      end = std::max(end, piece.offset + piece.length);
    }
    script.now += Millis{50};
    pieces = all<out::PublishPiece>(script.state(1, {{end, 60'000'000 - end}}));
  }
  EXPECT_EQ(largest, options.portion_max);
  std::uint64_t smallest = largest;
  for (int i = 0; i < 20; ++i) {
    for (const auto& piece : pieces) {
      smallest = std::min(smallest, piece.length);
      end = std::max(end, piece.offset + piece.length);
    }
    script.now += Millis{4'000};
    pieces = all<out::PublishPiece>(script.state(1, {{end, 60'000'000 - end}}));
  }
  EXPECT_EQ(smallest, options.portion_min);
  EXPECT_LE(script.machine.in_flight(), 2U);  // and few of them in the way of a report
}

TEST(Sync, AWrongHashStartsAgainOnceThenIsTold) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.photo(1, 1'000);
  script.greet();
  MediaState wrong;
  wrong.sha256 = sha_of(1);
  wrong.refused = ErrorCode::media_hash_mismatch;
  auto outputs = script.feed(in::Down{wrong});
  EXPECT_EQ(all<out::MediaRestarted>(outputs).size(), 1U);
  ASSERT_EQ(all<out::PublishPiece>(outputs).size(), 1U);
  EXPECT_EQ(all<out::PublishPiece>(outputs)[0].offset, 0U);
  outputs = script.feed(in::Down{wrong});
  ASSERT_EQ(all<out::MediaRefused>(outputs).size(), 1U);
  EXPECT_EQ(script.machine.in_flight(), 0U);
}

TEST(Sync, PiecesWithoutAnAnswerAreAskedAboutNotSentBlindly) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.photo(1, 100'000);
  script.greet();
  std::vector<out::PublishPiece> pieces;
  for (int i = 0; i < 3 && pieces.empty(); ++i) pieces = all<out::PublishPiece>(script.wait_timer());
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].length, 0U);
}

TEST(Sync, APhotoThatCannotBeReadIsTold) {
  Script script;
  script.photo(1, 1'000);
  script.greet();
  const auto outputs = script.feed(in::MediaUnreadable{sha_of(1)});
  ASSERT_EQ(all<out::MediaRefused>(outputs).size(), 1U);
  EXPECT_EQ(all<out::MediaRefused>(outputs)[0].code, ErrorCode::not_found);
  EXPECT_EQ(script.machine.in_flight(), 0U);
}

TEST(Sync, DownItemsAreStoredThenAcknowledgedTogether) {
  Script script({}, 4);
  script.greet();
  for (std::uint64_t n = 5; n <= 7; ++n) {
    const auto outputs = script.feed(in::Down{DownItem{n, "notice", "{}"}});
    ASSERT_EQ(all<out::StoreDown>(outputs).size(), 1U);
    EXPECT_TRUE(all<out::PublishUp>(outputs).empty());  // not before it is on the disk
    EXPECT_TRUE(script.feed(in::DownStored{n}).empty());
  }
  const auto acks = all<out::PublishUp>(script.wait_timer());
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].ack, 7U);
  EXPECT_TRUE(acks[0].seqs.empty());
  // The server did not hear it and sends again: acknowledged again.
  script.feed(in::Down{DownItem{7, "notice", "{}"}});
  script.feed(in::DownStored{7});
  EXPECT_EQ(all<out::PublishUp>(script.wait_timer()).size(), 1U);
}

TEST(Sync, GreetingsAndAcknowledgementsNameTheGenerationTheySpeakTo) {
  Script script;
  script.feed(in::Start{});
  EXPECT_FALSE(all<out::PublishUp>(script.feed(in::Connected{})).at(0).generation) << "nothing was heard yet";
  script.receipt({});
  script.feed(in::Down{DownItem{1, "notice", "{}"}});
  script.feed(in::DownStored{1});
  EXPECT_EQ(all<out::PublishUp>(script.wait_timer()).at(0).generation, kStore);

  script.feed(in::Down{DownItem{2, "notice", "{}"}});
  script.feed(in::DownStored{2});
  script.add(1);
  auto sent = all<out::PublishUp>(script.feed(in::WorkAdded{}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].ack, 2U);
  EXPECT_EQ(sent[0].generation, kStore);
  script.add(2);
  sent = all<out::PublishUp>(script.feed(in::WorkAdded{}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_FALSE(sent[0].generation) << "records alone";

  EXPECT_TRUE(all<out::PublishUp>(script.receipt({}, 0, id_of(889))).empty());
  script.wait_timer();
  const auto again = all<out::PublishUp>(script.feed(in::Connected{}));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].ack, 2U);
  EXPECT_EQ(again[0].generation, id_of(889));
}

// ---- where the numbers of items begin ----

DownItem item(std::uint64_t n, std::optional<std::uint64_t> first) { return {n, "notice", "{}", first}; }

// The agent's part: what is stored, and from where on it is acknowledged.
struct Stored {
  std::optional<std::uint64_t> take(const std::vector<SyncOutput>& outputs) {
    for (const auto& output : outputs) {
      if (const auto* store = std::get_if<out::StoreDown>(&output)) items.insert(store->item.n);
      if (const auto* baseline = std::get_if<out::DownBaseline>(&output); baseline && !ack) ack = baseline->first - 1;
    }
    while (ack && items.count(*ack + 1) > 0) ++*ack;
    return ack;
  }
  std::set<std::uint64_t> items;
  std::optional<std::uint64_t> ack;
};

TEST(Sync, WhatComesFirstIsNotTakenForTheFirst) {
  Script script;
  Stored stored;
  script.feed(in::Start{});
  EXPECT_FALSE(all<out::PublishUp>(script.feed(in::Connected{}))[0].ack);
  script.feed(in::DownStored{stored.take(script.receipt({}, 0, kStore, 1))});
  EXPECT_FALSE(script.machine.next_timer()) << "nothing came: nothing to acknowledge";
  // The link drops 1.
  script.feed(in::DownStored{stored.take(script.feed(in::Down{item(2, 1)}))});
  for (int i = 0; i < 20 && script.machine.next_timer(); ++i) {
    for (const auto& up : all<out::PublishUp>(script.wait_timer())) EXPECT_EQ(up.ack.value_or(0), 0U);
  }
  script.feed(in::DownStored{stored.take(script.feed(in::Down{item(1, 1)}))});
  const auto acks = all<out::PublishUp>(script.wait_timer());
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].ack, 2U);
}

// Its former outbox acknowledged 1 to 4.
TEST(Sync, AWipedDeviceBeginsWhereTheServerSays) {
  Script script;
  Stored stored;
  script.feed(in::Start{});
  EXPECT_FALSE(all<out::PublishUp>(script.feed(in::Connected{}))[0].ack);
  const auto outputs = script.receipt({}, 0, kStore, 5);
  ASSERT_EQ(all<out::DownBaseline>(outputs).size(), 1U);
  EXPECT_EQ(stored.take(outputs), 4U);
  script.feed(in::DownStored{stored.ack});
  // Reordered, and one of them late from before.
  script.feed(in::DownStored{stored.take(script.feed(in::Down{item(6, 5)}))});
  script.feed(in::DownStored{stored.take(script.feed(in::Down{item(3, 1)}))});
  EXPECT_EQ(stored.ack, 4U);
  script.feed(in::DownStored{stored.take(script.feed(in::Down{item(5, 5)}))});
  const auto acks = all<out::PublishUp>(script.wait_timer());
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].ack, 6U);
}

TEST(Sync, WhoHasAnAcknowledgementKeepsHisCount) {
  Script script({}, 3, kStore);
  script.feed(in::Start{});
  script.feed(in::Connected{});
  EXPECT_TRUE(all<out::DownBaseline>(script.receipt({}, 0, kStore, 9)).empty());
  EXPECT_TRUE(all<out::DownBaseline>(script.feed(in::Down{item(9, 9)})).empty());
}

TEST(Sync, AnItemsFirstNumberCountsOnceAReceiptOfThisConnectionWasHeard) {
  Script script;
  Stored stored;
  script.feed(in::Start{});
  script.feed(in::Connected{});
  auto outputs = script.feed(in::Down{item(7, 6)});
  EXPECT_EQ(all<out::StoreDown>(outputs).size(), 1U);
  EXPECT_TRUE(all<out::DownBaseline>(outputs).empty()) << "whose item?";
  script.feed(in::DownStored{stored.take(outputs)});
  script.feed(in::DownStored{stored.take(script.receipt({}))});  // of records, or of an older server
  EXPECT_FALSE(stored.ack);
  script.feed(in::DownStored{stored.take(script.feed(in::Down{item(8, 6)}))});
  EXPECT_EQ(stored.ack, 5U);
  const auto acks = all<out::PublishUp>(script.wait_timer());
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].ack, 5U);
  EXPECT_FALSE(script.machine.next_timer()) << "no more questions";
}

TEST(Sync, WhatARestoredServerSaysFirstIsNotBelieved) {
  Script script({}, std::nullopt, kStore);
  script.feed(in::Start{});
  script.feed(in::Connected{});
  const auto outputs = script.receipt({}, 0, id_of(889), 50);
  EXPECT_EQ(all<out::Restored>(outputs).size(), 1U);
  EXPECT_TRUE(all<out::DownBaseline>(outputs).empty()) << "it may be the lost one's, and late";
  EXPECT_TRUE(script.feed(in::Down{item(50, 50)}).empty());
  script.wait_timer();
  EXPECT_EQ(all<out::PublishUp>(script.feed(in::Connected{})).at(0).generation, id_of(889));
  EXPECT_EQ(all<out::DownBaseline>(script.receipt({}, 0, id_of(889), 6)).at(0).first, 6U);
}

// A restored server does not take a greeting without a store for an answer to its question.
TEST(Sync, TheFirstStoreThatIsHeardIsNamedToGetItsFirstNumber) {
  Script script;
  script.feed(in::Start{});
  EXPECT_FALSE(all<out::PublishUp>(script.feed(in::Connected{})).at(0).generation);
  const auto again = all<out::PublishUp>(script.receipt({}));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_TRUE(again[0].hello);
  EXPECT_EQ(again[0].generation, kStore);
  EXPECT_FALSE(again[0].ack);
  EXPECT_TRUE(all<out::PublishUp>(script.receipt({})).empty()) << "once";
  EXPECT_EQ(all<out::DownBaseline>(script.receipt({}, 0, kStore, 6)).at(0).first, 6U);
}

TEST(Sync, WithoutTheFirstNumberItAsksAndGuessesNothing) {
  Script script({}, std::nullopt, kStore);
  script.feed(in::Start{});
  script.feed(in::Connected{});
  script.receipt({});
  EXPECT_FALSE(script.machine.next_timer());
  EXPECT_EQ(all<out::StoreDown>(script.feed(in::Down{item(2, std::nullopt)})).size(), 1U);
  script.feed(in::DownStored{std::nullopt});
  Millis last = script.now;
  Millis previous{0};
  for (int i = 0; i < 5; ++i) {
    const auto outputs = script.wait_timer();
    EXPECT_TRUE(all<out::DownBaseline>(outputs).empty());
    const auto hello = all<out::PublishUp>(outputs);
    ASSERT_EQ(hello.size(), 1U);
    EXPECT_TRUE(hello[0].hello);
    EXPECT_FALSE(hello[0].ack);
    EXPECT_GT(script.now - last, previous);  // slower each time
    previous = script.now - last;
    last = script.now;
    script.receipt({});  // of a server that does not know the field
    EXPECT_EQ(all<out::StoreDown>(script.feed(in::Down{item(2, std::nullopt)})).size(), 1U);
    script.feed(in::DownStored{std::nullopt});
  }
  EXPECT_EQ(all<out::DownBaseline>(script.receipt({}, 0, kStore, 2)).at(0).first, 2U);
  script.feed(in::DownStored{2});
  const auto acks = all<out::PublishUp>(script.wait_timer());
  ASSERT_EQ(acks.size(), 1U);
  EXPECT_EQ(acks[0].ack, 2U);
  EXPECT_FALSE(acks[0].hello);
  EXPECT_FALSE(script.machine.next_timer());
}

// ---- the bound of the server's clock: nobody knows which copy a reply answers, so it counts from the first ----

TEST(Sync, AReplyAfterAResendCountsFromTheFirstCopy) {
  Script script;
  script.add(1);
  script.greet();
  const auto first = script.now;
  ASSERT_TRUE(all<out::PublishUp>(script.wait_timer()).at(0).hello);  // is anybody there?
  ASSERT_EQ(all<out::PublishUp>(script.receipt({})).size(), 1U);      // yes: again
  script.now += Millis{20};
  const auto told = all<out::ServerNow>(script.receipt({1}));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].uncertainty, script.now - first);
}

TEST(Sync, ALateMessageGoesAgainWhenAGreetingThatFollowedItIsAnswered) {
  Script script;
  script.add(1);
  script.greet();
  auto sent = all<out::PublishUp>(script.wait_timer());
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_TRUE(sent[0].hello);
  EXPECT_TRUE(sent[0].seqs.empty());
  // The receipt of the message itself was only slow.
  EXPECT_EQ(all<out::Receipted>(script.receipt({1})).size(), 1U);
  EXPECT_TRUE(all<out::PublishUp>(script.receipt({})).empty());
  EXPECT_FALSE(script.machine.next_timer());

  // Lost.
  script.add(2);
  ASSERT_EQ(all<out::PublishUp>(script.feed(in::WorkAdded{})).size(), 1U);
  ASSERT_TRUE(all<out::PublishUp>(script.wait_timer()).at(0).hello);
  sent = all<out::PublishUp>(script.receipt({}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].seqs, (std::vector<std::uint64_t>{2}));
}

TEST(Sync, AlsoWhenALinkOrARewindIsBetweenTheCopies) {
  for (const bool rewind : {false, true}) {
    Script script;
    script.add(1);
    script.greet();
    const auto first = script.now;
    script.now += Millis{700};
    if (rewind) {
      EXPECT_EQ(all<out::PublishUp>(script.feed(in::Rewound{})).size(), 1U);
    } else {
      script.feed(in::Disconnected{});
      script.wait_timer();
      script.feed(in::Connected{});
      EXPECT_EQ(all<out::PublishUp>(script.receipt({})).size(), 1U);
    }
    script.now += Millis{20};
    const auto told = all<out::ServerNow>(script.receipt({1}));
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].uncertainty, script.now - first);
  }
}

TEST(Sync, AGreetingThatWasRepeatedCountsFromTheFirst) {
  Script script;
  script.add(1);
  script.feed(in::Start{});
  script.feed(in::Connected{});
  const auto first = script.now;
  ASSERT_EQ(all<out::PublishUp>(script.wait_timer()).size(), 1U);
  script.now += Millis{20};
  // A receipt with ids is no answer to a greeting: it says nothing about its time.
  Receipt late;
  late.epoch = kEpoch;
  late.generation = kStore;
  late.ok = {id_of(9)};
  EXPECT_TRUE(all<out::ServerNow>(script.feed(in::Down{late})).empty());
  EXPECT_TRUE(script.machine.greeted());
  const auto told = all<out::ServerNow>(script.receipt({}));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].uncertainty, script.now - first);
  // Answered; doubled by the broker it says nothing.
  EXPECT_TRUE(all<out::ServerNow>(script.receipt({})).empty());
}

// ---- slow links ----

// A link of so many bytes a second with a queue before it (the socket's), and a server that answers in order.
class SlowLink {
 public:
  SlowLink(Script& script, std::uint64_t bytes_per_second) : script_(script), rate_(bytes_per_second) {}

  // What the machine does is put into the queue; runs until `done` or the time is over.
  bool run(std::vector<SyncOutput> outputs, Millis limit, const std::function<bool()>& done) {
    take(outputs);
    const auto end = script_.now + limit;
    while (!done() && script_.now < end) {
      const auto timer = script_.machine.next_timer();
      const bool arrives = !queue_.empty() && (!timer || queue_.front().at <= *timer);
      if (!arrives && !timer) return done();
      script_.now = std::max(script_.now, arrives ? queue_.front().at : *timer);
      if (!arrives) {
        take(script_.feed(in::Tick{}));
        continue;
      }
      const auto message = queue_.front().message;
      queue_.pop_front();
      if (const auto* up = std::get_if<out::PublishUp>(&message)) {
        if (up->hello || !up->seqs.empty()) take(script_.receipt(up->seqs));
      } else {
        take(answer(std::get<out::PublishPiece>(message)));
      }
    }
    return done();
  }
  std::uint64_t sent = 0;  // bytes of pieces and records put on the link
  std::uint64_t last = 0;  // bytes of the newest piece
  bool complete = false;

 private:
  struct Travelling {
    Millis at{};
    SyncOutput message;
  };
  static constexpr std::uint64_t kGrain = 1024;

  void take(const std::vector<SyncOutput>& outputs) {
    for (const auto& output : outputs) {
      std::uint64_t bytes = 100;
      if (const auto* up = std::get_if<out::PublishUp>(&output)) {
        for (const auto seq : up->seqs) bytes += script_.size_of(seq);
      } else if (const auto* piece = std::get_if<out::PublishPiece>(&output)) {
        bytes += piece->length;
        if (piece->length > 0) last = piece->length;
      } else {
        continue;
      }
      sent += bytes;
      const auto begin = std::max(script_.now, queue_.empty() ? Millis{0} : queue_.back().at);
      queue_.push_back({begin + Millis{static_cast<std::int64_t>(bytes * 1'000 / rate_)}, output});
    }
  }
  std::vector<SyncOutput> answer(const out::PublishPiece& piece) {
    have_.resize(piece.size / kGrain + 1, false);
    for (auto at = piece.offset; at < piece.offset + piece.length; at += kGrain) have_[at / kGrain] = true;
    std::vector<ByteRange> missing;
    for (std::uint64_t at = 0; at < piece.size; at += kGrain) {
      if (have_[at / kGrain]) continue;
      if (missing.empty() || missing.back().offset + missing.back().length != at) missing.push_back({at, 0});
      missing.back().length += std::min(kGrain, piece.size - at);
    }
    complete = missing.empty();
    return script_.state(1, missing, complete);
  }

  Script& script_;
  std::uint64_t rate_;
  std::deque<Travelling> queue_;
  std::vector<bool> have_;
};

TEST(Sync, APhotoOverAVerySlowLinkIsSentAboutOnce) {
  for (const std::uint64_t rate : {500, 1'000, 2'000, 8'000, 50'000}) {
    Script script;
    constexpr std::uint64_t kSize = 600'000;
    script.photo(1, kSize);
    SlowLink link(script, rate);
    script.feed(in::Start{});
    const auto whole = Millis{static_cast<std::int64_t>(kSize * 1'000 / rate)};
    EXPECT_TRUE(link.run(script.feed(in::Connected{}), whole * 2, [&] { return link.complete; })) << rate;
    EXPECT_LT(link.sent, kSize * 5 / 4) << rate;
    if (rate <= 1'000) {
      EXPECT_LE(link.last, SyncOptions{}.portion_min) << rate;
    }
  }
}

// It was quick, with large pieces in the air, and becomes slow.
TEST(Sync, ALinkThatBecomesSlowIsNotFloodedWithCopies) {
  SyncOptions options;
  options.portion_first = options.portion_max;
  options.first_window = 8;
  Script script(options);
  constexpr std::uint64_t kSize = 2'400'000;
  script.photo(1, kSize);
  SlowLink link(script, 4'000);
  script.feed(in::Start{});
  EXPECT_TRUE(link.run(script.feed(in::Connected{}), Millis{1'200'000}, [&] { return link.complete; }));
  EXPECT_LT(link.sent, kSize * 5 / 4);
}

TEST(Sync, RecordsOverAVerySlowLinkAreNotSentAgainAndAgain) {
  Script script;
  std::uint64_t all_bytes = 0;
  for (std::uint64_t seq = 1; seq <= 120; ++seq) {
    script.add(seq, Lane::bulk, 2'000);
    all_bytes += 2'000;
  }
  SlowLink link(script, 1'000);
  script.feed(in::Start{});
  EXPECT_TRUE(link.run(script.feed(in::Connected{}), Millis{900'000}, [&] { return script.records.empty(); }));
  EXPECT_LT(link.sent, all_bytes * 5 / 4);
}

TEST(Sync, ALinkThatBreaksInEveryMessageGetsSmallerOnes) {
  Script script;
  for (std::uint64_t seq = 1; seq <= 120; ++seq) script.add(seq, Lane::bulk, 2'000);
  auto sent = all<out::PublishUp>(script.greet());
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent[0].seqs.size(), 32U);  // 64 KiB
  for (int i = 0; i < 6; ++i) {
    script.now += Millis{5'000};
    script.feed(in::Disconnected{});
    script.wait_timer();
    script.feed(in::Connected{});
    sent = all<out::PublishUp>(script.receipt({}));
    ASSERT_FALSE(sent.empty());
  }
  EXPECT_EQ(sent[0].seqs.size(), SyncOptions{}.message_least / 2'000);  // one commit is still worth while
}

TEST(Sync, SilenceHalvesThePieceAndAsksBeforeItSends) {
  SyncOptions options;
  options.first_window = 8;
  Script script(options);
  script.photo(1, 10'000'000);
  std::uint64_t before = 0;
  for (const auto& piece : all<out::PublishPiece>(script.greet())) before = piece.length;
  EXPECT_EQ(before, options.portion_first);
  Millis asked{0};
  Millis waited{0};
  for (int round = 0; round < 4; ++round) {
    std::vector<out::PublishPiece> pieces;
    while (pieces.empty()) pieces = all<out::PublishPiece>(script.wait_timer());
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].length, 0U) << "sends before it asked";
    EXPECT_EQ(script.machine.in_flight(), 1U);
    if (asked > Millis{0}) {
      EXPECT_GT(script.now - asked, waited * 5 / 4);  // ever longer
      waited = script.now - asked;
    }
    asked = script.now;
  }
  const auto pieces = all<out::PublishPiece>(script.state(1, {{0, 10'000'000}}));
  ASSERT_FALSE(pieces.empty());
  EXPECT_EQ(pieces[0].length, before / 2);  // one piece was late, the questions carried nothing
}

// It is the first copy that has arrived at last, and not the second one a moment after it was sent.
TEST(Sync, ACopyThatSeemsQuickMakesNoLargerPieces) {
  Script script;
  script.photo(1, 10'000'000);
  script.greet();
  std::vector<out::PublishPiece> pieces;
  while (pieces.empty()) pieces = all<out::PublishPiece>(script.wait_timer());
  pieces = all<out::PublishPiece>(script.state(1, {{0, 10'000'000}}));
  ASSERT_EQ(pieces.size(), 1U);
  const auto copy = pieces[0].length;
  script.now += Millis{10};
  pieces = all<out::PublishPiece>(script.state(1, {{copy, 10'000'000 - copy}}));
  ASSERT_FALSE(pieces.empty());
  EXPECT_EQ(pieces[0].length, copy);
}

TEST(Sync, ALinkThatBreaksInEveryPieceGetsSmallerOnes) {
  Script script;
  script.photo(1, 10'000'000);
  auto pieces = all<out::PublishPiece>(script.greet());
  ASSERT_FALSE(pieces.empty());
  for (int i = 0; i < 6; ++i) {
    script.now += Millis{5'000};
    script.feed(in::Disconnected{});
    script.wait_timer();
    script.feed(in::Connected{});
    script.receipt({});
    pieces = all<out::PublishPiece>(script.state(1, {{0, 10'000'000}}));
    ASSERT_FALSE(pieces.empty());
  }
  EXPECT_EQ(pieces[0].length, SyncOptions{}.portion_min);
}

TEST(Sync, ARewindBeginsFromTheFirst) {
  Script script;
  script.add(1);
  script.greet();
  script.receipt({1});
  EXPECT_EQ(script.machine.in_flight(), 0U);
  script.add(1);  // the server was restored and asks again
  EXPECT_TRUE(all<out::PublishUp>(script.feed(in::WorkAdded{})).empty());
  const auto sent = all<out::PublishUp>(script.feed(in::Rewound{}));
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].seqs, (std::vector<std::uint64_t>{1}));
}

TEST(Sync, ARestoredServerIsToldFirstAndAskedOverANewConnection) {
  Script script({}, std::nullopt, kStore);
  script.add(1);
  script.add(2);
  script.photo(1, 1'000);
  script.greet();
  const auto restored = id_of(777);
  const auto outputs = script.receipt({1}, 0, restored);
  // What is above `safe` waits again before this receipt's own ids count.
  const auto at = [&](auto kind) {
    using T = decltype(kind);
    return std::find_if(outputs.begin(), outputs.end(),
                        [](const SyncOutput& output) { return std::holds_alternative<T>(output); });
  };
  ASSERT_EQ(all<out::Safe>(outputs), (std::vector<out::Safe>{{restored, 0}}));
  EXPECT_LT(at(out::Safe{}), at(out::Receipted{}));
  EXPECT_EQ(all<out::Restored>(outputs).size(), 1U);
  EXPECT_EQ(all<out::Disconnect>(outputs).size(), 1U);
  EXPECT_EQ(script.machine.in_flight(), 0U);
  // The lost store's last words count for nothing.
  EXPECT_TRUE(script.state(1, {}, true).empty());
  EXPECT_TRUE(script.receipt({2}).empty());
  EXPECT_EQ(all<out::Connect>(script.wait_timer()).size(), 1U);
  EXPECT_TRUE(all<out::PublishUp>(script.feed(in::Connected{})).at(0).hello);
  const auto sent = script.receipt({}, 0, restored);
  EXPECT_TRUE(all<out::Disconnect>(sent).empty());
  ASSERT_FALSE(all<out::PublishUp>(sent).empty());
  EXPECT_EQ(all<out::PublishUp>(sent)[0].seqs, (std::vector<std::uint64_t>{2}));
}

TEST(Sync, TheFirstGenerationIsOnlyStored) {
  Script script;
  EXPECT_TRUE(all<out::Disconnect>(script.greet()).empty());
  EXPECT_TRUE(script.machine.greeted());
}

TEST(Sync, StopEndsItAndStartBeginsAgain) {
  Script script;
  script.add(1);
  script.greet();
  EXPECT_EQ(all<out::Disconnect>(script.feed(in::Stop{})).size(), 1U);
  EXPECT_FALSE(script.machine.next_timer());
  EXPECT_TRUE(script.feed(in::Disconnected{}).empty());
  EXPECT_TRUE(script.feed(in::Connected{}).empty());
  EXPECT_EQ(all<out::Connect>(script.feed(in::Start{})).size(), 1U);
}

// Every step of a whole exchange fails in turn by a cut of the link: in the end everything has arrived once.
TEST(Sync, ACutAtEveryStepLosesNothing) {
  for (int cut = 0; cut < 60; ++cut) {
    SyncOptions options;
    options.message_records = 2;
    Script script(options);
    for (std::uint64_t seq = 1; seq <= 9; ++seq) script.add(seq, seq % 3 == 0 ? Lane::bulk : Lane::urgent);
    script.photo(1, 300'000);
    std::map<std::uint64_t, int> stored;
    constexpr std::uint64_t kSize = 300'000;
    constexpr std::uint64_t kGrain = 4'096;
    std::vector<bool> photo(kSize / kGrain + 1, false);
    bool complete = false;
    std::vector<SyncOutput> air;
    auto push = [&](const std::vector<SyncOutput>& outputs) {
      for (const auto& output : outputs) {
        if (std::holds_alternative<out::PublishUp>(output) || std::holds_alternative<out::PublishPiece>(output)) {
          air.push_back(output);
        }
        if (std::holds_alternative<out::Connect>(output)) air.clear();
      }
    };
    push(script.feed(in::Start{}));
    push(script.feed(in::Connected{}));
    int step = 0;
    while (!(complete && stored.size() == 9 && script.records.empty()) && step < 500) {
      if (step++ == cut) {
        // What the server did before the cut stays done, its answer does not arrive.
        if (!air.empty()) {
          if (const auto* up = std::get_if<out::PublishUp>(&air.front())) {
            for (const auto seq : up->seqs) ++stored[seq];
          }
        }
        air.clear();
        push(script.feed(in::Disconnected{}));
        push(script.wait_timer());
        push(script.feed(in::Connected{}));
        continue;
      }
      if (air.empty()) {
        push(script.wait_timer());
        continue;
      }
      const auto output = air.front();
      air.erase(air.begin());
      if (const auto* up = std::get_if<out::PublishUp>(&output)) {
        for (const auto seq : up->seqs) ++stored[seq];
        push(script.receipt(up->seqs));
      } else if (const auto* piece = std::get_if<out::PublishPiece>(&output)) {
        for (auto at = piece->offset; at < piece->offset + piece->length; at += kGrain) photo[at / kGrain] = true;
        std::vector<ByteRange> gaps;
        for (std::uint64_t at = 0; at < kSize; at += kGrain) {
          if (photo[at / kGrain]) continue;
          if (gaps.empty() || gaps.back().offset + gaps.back().length != at) gaps.push_back({at, 0});
          gaps.back().length += std::min(kGrain, kSize - at);
        }
        complete = gaps.empty();
        push(script.state(1, gaps, complete));
      }
    }
    EXPECT_EQ(stored.size(), 9U) << "cut at " << cut;
    EXPECT_TRUE(complete) << "cut at " << cut;
    EXPECT_TRUE(script.records.empty()) << "cut at " << cut;
  }
}

}  // namespace
}  // namespace gridward::device
