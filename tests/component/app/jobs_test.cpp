#include <gtest/gtest.h>

#include <future>
#include <gridward/test/gate.hpp>
#include <gridward/test/server_world.hpp>
#include <latch>

#include "sql.hpp"

namespace gridward {
namespace {

using namespace test;

// Stands for the worker process, which has its own tests: answers what it is told to.
class ScriptedDeriver : public app::PhotoDeriver {
 public:
  Result<app::PhotoNumbers> derive(const Sha256& sha) override {
    asked.push_back(sha);
    if (answers.empty()) return app::PhotoNumbers{1600, 1200, 6, false, 10.5, 120.25, 0xF0F0F0F0F0F0F0F0};
    auto answer = answers.front();
    answers.erase(answers.begin());
    return answer;
  }
  std::vector<Result<app::PhotoNumbers>> answers;
  std::vector<Sha256> asked;
};

struct Sealed {
  ServerWorld world;
  Handheld hh{world, "hh-1", "m1"};
  std::vector<Sha256> photos;
  std::vector<Uuid> cases;

  void add(const std::string& text) {
    const Bytes bytes(text.begin(), text.end());
    const auto sha = platform::sha256(bytes);
    auto record = hh.report(text);
    record.media.push_back({sha, bytes.size(), "image/jpeg", MediaRole::scene});
    if (hh.receipt({record}).ok.size() != 1) throw std::runtime_error("refused");
    const auto answers = hh.send_piece({sha, bytes.size(), 0, bytes});
    if (!std::get<MediaState>(answers.at(0)).complete) throw std::runtime_error("not sealed");
    photos.push_back(sha);
    cases.push_back(record.id);
    world.live.take();
  }
  app::MediaView media(std::size_t i) { return must(world.cases->get(world.actor("op"), cases[i])).media.at(0); }
};

TEST(PhotoJobs, DerivedNumbersAreStoredAndPagesTold) {
  Sealed s;
  s.add("一");
  ScriptedDeriver deriver;
  app::PhotoJobs jobs(s.world.services(), deriver);
  EXPECT_TRUE(jobs.run_once());
  EXPECT_EQ(deriver.asked, s.photos);
  const auto media = s.media(0);
  EXPECT_EQ(media.status, app::MediaStatus::derived);
  ASSERT_TRUE(media.numbers.has_value());
  EXPECT_EQ(media.numbers->width, 1600u);
  EXPECT_EQ(media.numbers->orientation, 6);
  EXPECT_EQ(media.numbers->likeness, 0xF0F0F0F0F0F0F0F0u);
  EXPECT_EQ(media.have, media.size);
  const auto live = s.world.live.take();
  ASSERT_EQ(live.size(), 2u);
  EXPECT_EQ(live[0].kind, "photo");
  EXPECT_EQ(live[0].id, to_string(s.cases[0])) << "no hash: many hear it";
  EXPECT_EQ(live[1].kind, "case");
  EXPECT_EQ(live[1].id, to_string(s.cases[0]));
  EXPECT_FALSE(jobs.run_once()) << "nothing is waiting";
  EXPECT_EQ(deriver.asked.size(), 1u);
}

// Answers only once two photos are in work together.
class PairDeriver : public app::PhotoDeriver {
 public:
  Result<app::PhotoNumbers> derive(const Sha256&) override {
    both.arrive_and_wait();
    return app::PhotoNumbers{};
  }
  std::latch both{2};
};

TEST(PhotoJobs, SeveralPhotosAreInWorkAtATime) {
  Sealed s;
  s.add("一");
  s.add("二");
  PairDeriver deriver;
  app::PhotoJobs jobs(s.world.services(), deriver, 2);
  EXPECT_TRUE(jobs.run_once());
  EXPECT_EQ(s.media(0).status, app::MediaStatus::derived);
  EXPECT_EQ(s.media(1).status, app::MediaStatus::derived);
}

TEST(PhotoJobs, ABadPhotoIsMarkedAndTheNextGoesOn) {
  Sealed s;
  s.add("坏");
  s.add("好");
  ScriptedDeriver deriver;
  deriver.answers = {fail(ErrorCode::media_undecodable, "jpeg", "no image")};
  app::PhotoJobs jobs(s.world.services(), deriver);
  EXPECT_TRUE(jobs.run_once());
  EXPECT_EQ(s.media(0).status, app::MediaStatus::refused);
  EXPECT_EQ(s.media(0).problem, "media_undecodable (1205) jpeg: no image");
  EXPECT_EQ(s.media(1).status, app::MediaStatus::derived);
  EXPECT_TRUE(s.world.photos->has_original(s.photos[0])) << "evidence stays";
  // To the device it is done: the bytes are here.
  EXPECT_TRUE(std::get<MediaState>(s.hh.send_piece({s.photos[0], 3, 0, {}}).at(0)).complete);
}

TEST(PhotoJobs, AnUnavailableWorkerLosesNoJobAndHoldsUpNoOther) {
  Sealed s;
  s.add("一");
  s.add("二");
  ScriptedDeriver deriver;
  deriver.answers = {fail(ErrorCode::unavailable), fail(ErrorCode::unavailable)};
  app::PhotoJobs jobs(s.world.services(), deriver);
  EXPECT_FALSE(jobs.run_once()) << "no progress: the caller waits";
  EXPECT_EQ(s.media(0).status, app::MediaStatus::sealed);
  const auto waiting = s.world.read([](app::Tx& tx) { return tx.photo_jobs(10); });
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0].attempts, 1);
  deriver.answers = {fail(ErrorCode::unavailable)};
  EXPECT_TRUE(jobs.run_once()) << "one of two";
  EXPECT_TRUE(jobs.run_once());
  EXPECT_EQ(s.media(0).status, app::MediaStatus::derived);
  EXPECT_EQ(s.media(1).status, app::MediaStatus::derived);
}

TEST(SignatureJobs, GoodOnesPassAndForgedOnesAreFlagged) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  const auto good = hh.report("真");
  const auto forged = hh.report("假");
  EXPECT_EQ(hh.receipt({good}).ok.size(), 1u);
  auto up = hh.message({forged});
  up.signature->at(5) ^= 1;
  EXPECT_EQ(Handheld::receipt_of(hh.send(up)).ok.size(), 1u) << "evidence, not a gate";
  app::SignatureJobs jobs(world.services());
  world.live.take();
  EXPECT_TRUE(jobs.run_once());
  const auto told = world.live.take();
  ASSERT_EQ(told.size(), 1u) << "the page of devices shows it";
  EXPECT_EQ(told[0].kind, "device");
  EXPECT_EQ(told[0].id, "hh-1");
  EXPECT_EQ(told[0].org_path, "120116/" + kTown);
  EXPECT_FALSE(jobs.run_once());
  EXPECT_TRUE(world.read([](app::Tx& tx) { return tx.signature_jobs(10); }).empty());
  const auto flags = [&](const Record& record) {
    return sql_text(world, "SELECT flags FROM records WHERE seq = " + std::to_string(record.seq));
  };
  EXPECT_EQ(flags(good).find("bad_signature"), std::string::npos);
  EXPECT_NE(flags(forged).find("bad_signature"), std::string::npos);
}

TEST(SignatureJobs, GiveWayToWhatIsWaitedForButNotForEver) {
  ServerWorld world;
  Handheld hh(world, "hh-1", "m1");
  EXPECT_EQ(hh.receipt({hh.report("x")}).ok.size(), 1u);
  app::SignatureJobs jobs(world.services());
  const auto left = [&] { return sql_text(world, "SELECT CAST(COUNT(*) AS TEXT) FROM signature_jobs"); };
  Gate gate(*world.store);
  for (int i = 0; i < app::SignatureJobs::kMostPutOff; ++i) EXPECT_FALSE(jobs.run_once());
  EXPECT_EQ(left(), "1");
  // It has begun although the writer still stands, behind which its own write waits.
  auto pass = std::async(std::launch::async, [&] { return jobs.run_once(); });
  EXPECT_EQ(pass.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  gate.open();
  EXPECT_TRUE(pass.get());
  EXPECT_EQ(left(), "0");
}

TEST(SignatureJobs, AnotherDevicesKeyDoesNotPass) {
  ServerWorld world;
  std::swap(world.keys["hh-1"], world.keys["hh-2"]);
  Handheld hh(world, "hh-1", "m1");
  const auto record = hh.report("x");
  EXPECT_EQ(hh.receipt({record}).ok.size(), 1u);
  app::SignatureJobs jobs(world.services());
  EXPECT_TRUE(jobs.run_once());
  EXPECT_NE(sql_text(world, "SELECT flags FROM records").find("bad_signature"), std::string::npos);
}

}  // namespace
}  // namespace gridward
