#include "samples.hpp"

#include <cmath>
#include <random>

namespace gridward::samples {
namespace {

constexpr std::int64_t kNow = 1'795'323'600'000;

Sha256 hash(std::uint8_t seed) {
  Sha256 out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(seed + i * 7);
  return out;
}

Record base(std::uint64_t seq, RecordBody body) {
  Record record;
  record.id = uuid(static_cast<std::uint8_t>(seq));
  record.epoch = uuid(200);
  record.actor = "wgy-003";
  record.seq = seq;
  record.at = from_unix_ms(kNow);
  record.mono = Millis{5000};
  record.boot = uuid(201);
  record.body = std::move(body);
  return record;
}

}  // namespace

Uuid uuid(std::uint8_t seed) {
  std::array<std::uint8_t, 10> random{};
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>(seed * 3 + i * 31);
  return make_uuid_v7(from_unix_ms(kNow + seed), random);
}

std::vector<TrackPoint> walk(std::size_t count) {
  std::mt19937 noise(7);
  std::uniform_int_distribution<int> jitter(-150, 150);  // 1.6 m
  std::vector<TrackPoint> points;
  double heading = 0;
  double lat = 391'123'456;
  double lon = 1'178'765'432;
  for (std::size_t i = 0; i < count; ++i) {
    heading += jitter(noise) / 400.0;
    lat += 600 * std::cos(heading);  // 1.3 m/s
    lon += 600 * std::sin(heading);
    const auto ms = static_cast<std::int64_t>(i) * 5000 + jitter(noise) / 10;
    points.push_back({from_unix_ms(kNow + ms),
                      {static_cast<std::int32_t>(std::lround(lat)) + jitter(noise),
                       static_cast<std::int32_t>(std::lround(lon)) + jitter(noise)},
                      static_cast<std::uint32_t>(500 + jitter(noise))});
  }
  return points;
}

std::vector<NamedRecord> records() {
  std::vector<NamedRecord> all;
  auto report = base(1, ReportBody{"env-litter", "路口东侧有堆放垃圾"});
  report.clock = {ClockSource::gnss, 25, -7'199'000};
  report.fix = Fix{{391'123'456, 1'178'765'432}, 480, FixSource::network, Datum::gcj02, true, from_unix_ms(kNow - 500)};
  report.media = {{hash(1), 3'214'567, "image/jpeg", MediaRole::scene, hash(4)},
                  {hash(2), 1, "image/webp", MediaRole::selfie, std::nullopt}};
  all.push_back({"report", report});
  all.push_back({"report_bare", base(2, ReportBody{"x", ""})});
  auto sign = base(3, SignBody{SignAct::out});
  sign.fix = Fix{{-900'000'000, -1'800'000'000}, std::nullopt, FixSource::manual, Datum::wgs84, false, from_unix_ms(0)};
  all.push_back({"sign", sign});
  all.push_back(
      {"patrol",
       base(4, PatrolBody{PatrolAct::stop, uuid(9), "巡查完毕", {{"消防通道", true, ""}, {"楼道", false, "堆物"}}})});
  all.push_back({"track", base(5, TrackBody{uuid(9), walk(200)})});
  all.push_back({"track_free", base(6, TrackBody{{}, walk(1)})});
  auto result = base(7, TaskResultBody{uuid(10), TaskOutcome::cannot_check, "大门锁闭"});
  result.media = {{hash(3), 100, "image/png", MediaRole::after, std::nullopt}};
  all.push_back({"task_result", result});
  all.push_back({"status", base(8, StatusBody{3, 1 << 20, 60, 64, "0.1.0"})});
  all.push_back({"status_bare", base(9, StatusBody{0, 0, 0, std::nullopt, ""})});
  return all;
}

std::vector<DownMessage> downs() {
  return {Receipt{{uuid(1), uuid(2)},
                  {{uuid(3), ErrorCode::unknown_actor, "使用人不在本街镇名册"}},
                  from_unix_ms(kNow),
                  uuid(200),
                  17,
                  uuid(201)},
          Receipt{{}, {}, from_unix_ms(kNow), uuid(200), 0, uuid(201)},
          Receipt{{}, {}, from_unix_ms(kNow), uuid(200), 0, uuid(201), 5},
          MediaState{hash(1), true, {}, std::nullopt},
          MediaState{hash(1), false, {{0, 262'144}, {300'000, 5}}, std::nullopt},
          MediaState{hash(1), false, {}, ErrorCode::media_hash_mismatch},
          DownItem{1, "notice", R"({"text":"明日大风"})"},
          DownItem{7, "notice", R"({"text":"明日大风"})", 5},
          Busy{Millis{2500}}};
}

}  // namespace gridward::samples
