#include <gtest/gtest.h>

#include <gridward/sim/scene.hpp>
#include <gridward/test/paths.hpp>
#include <gridward/test/server_world.hpp>
#include <gridward/vision/photo_comparer.hpp>
#include <gridward/vision/photo_worker.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace gridward {
namespace {

using namespace test;
using domain::Action;
using domain::LikenessKind;

// Photos are letters here: those of one letter are copies, a capital is the same place, and a question mark shows
// nothing.
class Alphabet : public app::PhotoDeriver, public app::PhotoComparer {
 public:
  Result<app::PhotoNumbers> derive(const Sha256& sha) override {
    if (broken) return fail(*broken);
    described[sha] = letters.at(sha);
    ++derived;
    return app::PhotoNumbers{1600, 1200, 1, false, letters.at(sha) == '~' ? 1.0 : 500.0, 120, 1};
  }
  Result<std::vector<std::int64_t>> keys(const Sha256& sha) override {
    if (!described.contains(sha)) return fail(ErrorCode::not_found, "description");
    return std::vector<std::int64_t>{std::tolower(described[sha])};
  }
  Result<app::PhotoLikeness> compare(const Sha256& earlier, const Sha256& later) override {
    if (!described.contains(earlier) || !described.contains(later)) return fail(ErrorCode::not_found, "description");
    const char a = described[earlier];
    const char b = described[later];
    return app::PhotoLikeness{std::tolower(a) == std::tolower(b) ? 900U : 50U, a == b ? 990U : 0U,
                              a != '?' && b != '?'};
  }
  std::map<Sha256, char> letters;
  std::map<Sha256, char> described;
  std::optional<ErrorCode> broken;
  int derived = 0;
};

struct Town {
  ServerWorld world;
  Handheld hh{world, "hh-1", "m1"};
  Handheld other{world, "hh-3", "m3", kOtherTown};
  int files = 0;
  static constexpr std::size_t kPiece = 16 * 1024;

  app::ActRequest act_request(const Uuid& id, Action action) {
    app::ActRequest request;
    request.action = action;
    request.version = must(world.cases->get(world.actor("boss"), id)).record.version;
    request.note = "好";
    return request;
  }
  void act(const std::string& who, const Uuid& id, Action action, const std::string& unit = {}) {
    auto request = act_request(id, action);
    if (!unit.empty()) request.fields[domain::Field::unit] = unit;
    must(world.cases->act(world.actor(who), id, request));
  }
  void send(Handheld& from, const Bytes& bytes) {
    const auto sha = platform::sha256(bytes);
    bool complete = false;
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
      const auto size = std::min(kPiece, bytes.size() - at);
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      const auto answers =
          from.send_piece({sha, bytes.size(), at, Bytes(first, first + static_cast<std::ptrdiff_t>(size))});
      complete = std::get<MediaState>(answers.at(0)).complete;
    }
    if (!complete) throw std::runtime_error("not sealed");
  }
  Uuid report(Handheld& from, const std::vector<Bytes>& photos) {
    auto record = from.report("路面");
    for (const auto& bytes : photos) {
      record.media.push_back({platform::sha256(bytes), bytes.size(), "image/jpeg", MediaRole::scene});
    }
    if (from.receipt({record}).ok.size() != 1) throw std::runtime_error("refused");
    for (const auto& bytes : photos) send(from, bytes);
    return record.id;
  }
  void verify(const Uuid& id, const Bytes& after, bool sent = true) {
    act("op", id, Action::accept);
    act("op", id, Action::transfer, "U1");
    act("u1", id, Action::take);
    act("u1", id, Action::handle);
    act("u1", id, Action::feedback);
    act("op", id, Action::request_verify);
    auto result = hh.record(TaskResultBody{must(world.cases->get(world.actor("op"), id)).record.verify_task,
                                           TaskOutcome::confirmed, "已修好"});
    result.media.push_back({platform::sha256(after), after.size(), "image/jpeg", MediaRole::after});
    if (hh.receipt({result}).ok.size() != 1) throw std::runtime_error("refused");
    if (sent) send(hh, after);
  }
  app::MediaView media(const std::string& who, const Uuid& id, const Bytes& photo) {
    const auto view = must(world.cases->get(world.actor(who), id));
    const auto found = std::ranges::find(view.media, platform::sha256(photo), &app::MediaView::sha256);
    if (found == view.media.end()) throw std::runtime_error("no such photo");
    return *found;
  }
  std::vector<LikenessKind> kinds(const Uuid& id, const Bytes& photo, const std::string& who = "boss") {
    std::vector<LikenessKind> out;
    for (const auto& flag : media(who, id, photo).flags) out.push_back(flag.kind);
    return out;
  }
};

struct Letters : Town {
  Alphabet alphabet;
  app::PhotoJobs photo_jobs{world.services(), alphabet};
  app::LikenessJobs jobs{world.services(), alphabet, alphabet};

  Bytes photo(char letter) {
    const auto text = std::string(1, letter) + std::to_string(++files);
    const Bytes bytes(text.begin(), text.end());
    alphabet.letters[platform::sha256(bytes)] = letter;
    return bytes;
  }
  void work() {
    while (photo_jobs.run_once()) {
    }
    while (jobs.run_once()) {
    }
  }
};

using Kinds = std::vector<LikenessKind>;

TEST(LikenessJobs, AnHonestAfterPhotoGetsNoFlag) {
  Letters t;
  const auto before = t.photo('a');
  const auto id = t.report(t.hh, {before});
  const auto after = t.photo('A');
  t.verify(id, after);
  t.world.live.take();
  t.work();
  EXPECT_EQ(t.kinds(id, before), Kinds{});
  EXPECT_EQ(t.kinds(id, after), Kinds{LikenessKind::same_place});
  const auto flag = t.media("op", id, after).flags.at(0);
  EXPECT_EQ(flag.score, 900U);
  EXPECT_EQ(flag.other, platform::sha256(before));
  EXPECT_EQ(flag.other_case, id);
  EXPECT_FALSE(t.jobs.run_once()) << "nothing is waiting";
}

TEST(LikenessJobs, AnEarlierPhotoIsFlaggedAndPagesAreTold) {
  Letters t;
  const auto first = t.photo('a');
  const auto one = t.report(t.hh, {first});
  const auto before = t.photo('b');
  const auto two = t.report(t.hh, {before});
  t.work();
  const auto after = t.photo('a');
  t.verify(two, after);
  t.photo_jobs.run_once();
  t.world.live.take();
  EXPECT_TRUE(t.jobs.run_once());
  const auto live = t.world.live.take();
  ASSERT_EQ(live.size(), 1U);
  EXPECT_EQ(live[0].kind, "photo");
  EXPECT_EQ(live[0].id, to_string(two));
  EXPECT_EQ(t.kinds(two, after), (Kinds{LikenessKind::reused, LikenessKind::other_place}));
  EXPECT_EQ(t.kinds(one, first), Kinds{}) << "the first of two is nobody's copy";
  const auto flag = t.media("op", two, after).flags.at(0);
  EXPECT_EQ(flag.score, 990U);
  EXPECT_EQ(flag.other, platform::sha256(first));
  EXPECT_EQ(flag.other_case, one);
  // The case went on all the same.
  t.act("op", two, Action::close);
}

TEST(LikenessJobs, WhoseCaseItIsNotSeesNoneOfIt) {
  Letters t;
  const auto first = t.photo('a');
  const auto theirs = t.report(t.other, {first});
  const auto copy = t.photo('a');
  const auto ours = t.report(t.hh, {copy});
  t.work();
  const auto all = t.media("boss", ours, copy).flags.at(0);
  EXPECT_EQ(all.kind, LikenessKind::reused);
  EXPECT_EQ(all.other_case, theirs);
  const auto hidden = t.media("op", ours, copy).flags.at(0);
  EXPECT_EQ(hidden.kind, LikenessKind::reused);
  EXPECT_EQ(hidden.score, 990U);
  EXPECT_FALSE(hidden.other_case) << "of another town";
  EXPECT_FALSE(hidden.other);
}

TEST(LikenessJobs, TheVerySameFileAgainIsReuse) {
  Letters t;
  const auto before = t.photo('a');
  const auto one = t.report(t.hh, {before});
  t.work();
  // Its own device has delivered it: nothing is sent again, and nothing is derived again.
  const auto two = t.report(t.hh, {before});
  t.work();
  EXPECT_EQ(t.alphabet.derived, 1);
  EXPECT_EQ(t.kinds(one, before), Kinds{});
  ASSERT_EQ(t.kinds(two, before), Kinds{LikenessKind::reused});
  EXPECT_EQ(t.media("op", two, before).flags.at(0).score, 1000U);
  // Another device delivers the same bytes.
  const auto three = t.report(t.other, {before});
  t.work();
  EXPECT_EQ(t.kinds(three, before), Kinds{LikenessKind::reused});
  EXPECT_EQ(t.kinds(one, before), Kinds{});
}

TEST(LikenessJobs, TheBeforePhotoAsAfterPhotoIsReuse) {
  Letters t;
  const auto before = t.photo('a');
  const auto id = t.report(t.hh, {before});
  const auto after = t.photo('a');
  t.verify(id, after);
  t.work();
  EXPECT_EQ(t.kinds(id, after), (Kinds{LikenessKind::reused, LikenessKind::same_place}));
  EXPECT_EQ(t.kinds(id, before), Kinds{});
}

TEST(LikenessJobs, TwoViewsOfOneRecordAreNot) {
  Letters t;
  const auto a = t.photo('a');
  const auto b = t.photo('a');
  const auto id = t.report(t.hh, {a, b});
  t.work();
  EXPECT_EQ(t.kinds(id, a), Kinds{});
  EXPECT_EQ(t.kinds(id, b), Kinds{});
}

// Its photos come in any order: the record that came first has the original.
TEST(LikenessJobs, TheLaterRecordIsFlaggedWhicheverPhotoComesFirst) {
  Letters t;
  const auto late = t.photo('a');
  auto record = t.hh.report("路面");
  record.media.push_back({platform::sha256(late), late.size(), "image/jpeg", MediaRole::scene});
  ASSERT_EQ(t.hh.receipt({record}).ok.size(), 1U);
  const auto copy = t.photo('a');
  const auto two = t.report(t.hh, {copy});
  t.work();
  EXPECT_EQ(t.kinds(two, copy), Kinds{});
  t.send(t.hh, late);
  t.work();
  EXPECT_EQ(t.kinds(two, copy), Kinds{LikenessKind::reused});
  EXPECT_EQ(t.kinds(record.id, late), Kinds{});
}

TEST(LikenessJobs, OfSeveralBeforePhotosTheLikestCounts) {
  Letters t;
  const auto far = t.photo('x');
  const auto near = t.photo('b');
  const auto id = t.report(t.hh, {far});
  // The one that shows the place comes last, after the after-photo.
  auto more = t.hh.report("路面");
  more.media.push_back({platform::sha256(near), near.size(), "image/jpeg", MediaRole::scene});
  const auto after = t.photo('B');
  t.verify(id, after);
  t.work();
  EXPECT_EQ(t.kinds(id, after), Kinds{LikenessKind::other_place});
  must(t.world.store->write([&](app::Tx& tx) -> Result<void> {
    app::StoredRecord row;
    row.device = "hh-1";
    row.epoch = t.hh.epoch;
    row.id = more.id;
    row.seq = t.hh.seq + 100;
    tx.insert_record(row);
    tx.expect_media(more.media[0], row.row, id);
    return {};
  }));
  t.send(t.hh, near);
  t.work();
  EXPECT_EQ(t.kinds(id, after), Kinds{LikenessKind::same_place}) << "the accusation is taken back";
}

TEST(LikenessJobs, BlurredAndSayingNothing) {
  Letters t;
  const auto blurred = t.photo('~');
  const auto one = t.report(t.hh, {blurred});
  const auto dark = t.photo('?');
  t.verify(one, dark);
  t.work();
  EXPECT_EQ(t.kinds(one, blurred), Kinds{LikenessKind::blurred});
  EXPECT_EQ(t.kinds(one, dark), Kinds{}) << "of a dark photo nothing is said";
}

TEST(LikenessJobs, OldPhotosAreDescribedAndAnOutageLosesNone) {
  Letters t;
  const auto first = t.photo('a');
  const auto one = t.report(t.hh, {first});
  while (t.photo_jobs.run_once()) {
  }
  t.alphabet.described.clear();  // derived by a program of before
  t.alphabet.broken = ErrorCode::unavailable;
  EXPECT_FALSE(t.jobs.run_once());
  t.alphabet.broken.reset();
  EXPECT_TRUE(t.jobs.run_once());
  EXPECT_TRUE(t.alphabet.described.contains(platform::sha256(first)));
  const auto copy = t.photo('a');
  const auto two = t.report(t.hh, {copy});
  t.work();
  EXPECT_EQ(t.kinds(two, copy), Kinds{LikenessKind::reused});
  // What cannot be described for good is let go.
  t.alphabet.described.clear();
  t.alphabet.broken = ErrorCode::media_undecodable;
  must(t.world.store->write([&](app::Tx& tx) -> Result<void> {
    tx.add_likeness_job(platform::sha256(first));
    return {};
  }));
  t.jobs.run_once();
  EXPECT_FALSE(t.jobs.run_once());
  EXPECT_EQ(t.kinds(one, first), Kinds{});
}

// Drawn photos through the real worker, from the report to the flag on the page.
struct Streets : Town {
  vision::WorkerPhotoDeriver deriver{*world.photos, {.program = program("server/vision/gridward-vision-worker")}, 1};
  vision::FilePhotoComparer comparer{*world.photos};
  app::PhotoJobs photo_jobs{world.services(), deriver};
  app::LikenessJobs jobs{world.services(), deriver, comparer};

  static Bytes scene(std::uint64_t seed, bool repaired = false, std::uint32_t visit = 0) {
    sim::SceneOptions options;
    options.seed = seed;
    options.width = 1600;
    options.height = 1200;
    options.repaired = repaired;
    options.visit = visit;
    return must(sim::draw_scene(options));
  }
  static Bytes encoded(const cv::Mat& picture, int quality) {
    Bytes out;
    cv::imencode(".jpg", picture, out, {cv::IMWRITE_JPEG_QUALITY, quality});
    return out;
  }
  static cv::Mat picture(const Bytes& jpeg) { return cv::imdecode(jpeg, cv::IMREAD_COLOR); }
  // A case of place `seed`, verified with this photo.
  Uuid verified(std::uint64_t seed, const Bytes& after) {
    const auto id = report(hh, {scene(seed)});
    verify(id, after);
    while (photo_jobs.run_once()) {
    }
    while (jobs.run_once()) {
    }
    return id;
  }
  bool flagged(const Uuid& id, const Bytes& photo, LikenessKind kind) {
    return std::ranges::count(kinds(id, photo), kind) == 1;
  }
};

TEST(Likeness, HonestReusedElsewhereAndBlurred) {
  Streets t;
  const auto honest = Streets::scene(1, true, 1);
  const auto first = t.verified(1, honest);
  EXPECT_EQ(t.kinds(first, honest), Kinds{LikenessKind::same_place});
  EXPECT_EQ(t.kinds(first, Streets::scene(1)), Kinds{});

  // The after-photo of the first case again: the same file, compressed, cut.
  const auto same = t.verified(2, honest);
  EXPECT_TRUE(t.flagged(same, honest, LikenessKind::reused));
  const auto compressed = Streets::encoded(Streets::picture(honest), 55);
  const auto third = t.verified(3, compressed);
  EXPECT_TRUE(t.flagged(third, compressed, LikenessKind::reused));
  const auto cut = Streets::encoded(Streets::picture(honest)(cv::Rect(120, 100, 1340, 1000)).clone(), 85);
  const auto fourth = t.verified(4, cut);
  EXPECT_TRUE(t.flagged(fourth, cut, LikenessKind::reused));

  // Drawn streets are alike, so that not every other place is told (docs/adr/0011-photo-likeness.md); none is a copy.
  int told = 0;
  for (const std::uint64_t seed : {20, 21, 22, 23}) {
    const auto elsewhere = Streets::scene(seed, true, 1);
    const auto id = t.verified(5, elsewhere);
    told += t.flagged(id, elsewhere, LikenessKind::other_place) ? 1 : 0;
    EXPECT_FALSE(t.flagged(id, elsewhere, LikenessKind::reused)) << seed;
  }
  EXPECT_GE(told, 2);

  cv::Mat unfocused;
  cv::GaussianBlur(Streets::picture(Streets::scene(6, true, 1)), unfocused, {}, 7);
  const auto blurred = Streets::encoded(unfocused, 90);
  const auto sixth = t.verified(6, blurred);
  EXPECT_TRUE(t.flagged(sixth, blurred, LikenessKind::blurred));
  EXPECT_FALSE(t.flagged(sixth, blurred, LikenessKind::reused));
}

}  // namespace
}  // namespace gridward
