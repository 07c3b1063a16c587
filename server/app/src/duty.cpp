#include <algorithm>
#include <gridward/app/services.hpp>
#include <map>

#include "days.hpp"
#include "roles.hpp"

namespace gridward::app {
namespace {

// A sign-in without a sign-out counts no longer than this: a member who forgot to sign out is not followed for days.
constexpr auto kLongestDuty = std::chrono::hours{36};

LiveEvent duty_event(const User& member) { return {"duty", member.login, member.org_path, 0}; }

void expect_all(Tx& tx, const Record& record, std::int64_t row) {
  for (const auto& media : record.media) tx.expect_media(media, row, std::nullopt);
}

std::vector<domain::DutyWindow> windows_of(const std::vector<PunchRow>& rows) {
  std::vector<domain::Punch> punches;
  punches.reserve(rows.size());
  for (const auto& row : rows) punches.push_back({row.act, row.at});
  return domain::duty_windows(punches);
}

std::vector<domain::DutyWindow> windows_around(Tx& tx, std::string_view login, UnixMs first, UnixMs last) {
  return windows_of(tx.punches_of(login, first - kLongestDuty, last + Millis{1}));
}

void count_dropped(Tx& tx, const domain::WorkCalendar& calendar, const std::string& device, UnixMs at,
                   std::size_t points) {
  if (points > 0) tx.count_dropped_points(device, compact_day(calendar, at), points);
}

// Tracks of that time were kept when other windows were known. A late sign-in can only make windows longer, and what
// was dropped is gone.
void drop_off_duty(Tx& tx, const domain::WorkCalendar& calendar, const std::string& login, UnixMs from, UnixMs to) {
  for (auto& track : tx.tracks_of(login, from, to + kLongestDuty + Millis{1})) {
    const auto first = track.points.front().at;
    auto split = domain::keep_on_duty(track.points, windows_around(tx, login, first, track.points.back().at));
    if (split.dropped == 0) continue;
    track.points = std::move(split.kept);
    tx.update_track(track);
    count_dropped(tx, calendar, track.device, first, split.dropped);
  }
}

}  // namespace

Duty::Duty(Services services) : services_(services) {}

Result<std::vector<PunchRow>> Duty::punches(const domain::Actor& actor, std::string_view day) {
  if (!sees_people(actor.role) || actor.org_path.empty()) {
    return fail(ErrorCode::forbidden, "role", std::string(to_string(actor.role)) + " may not see the duty page");
  }
  const auto span = day_span(services_.policy.calendar, day);
  if (!span) return tl::unexpected(span.error());
  std::vector<PunchRow> rows;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    rows = tx.punches_below(actor.org_path, span->from, span->to);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  return rows;
}

Result<MemberDay> Duty::member_day(const domain::Actor& actor, std::string_view login, std::string_view day) {
  const auto span = day_span(services_.policy.calendar, day);
  if (!span) return tl::unexpected(span.error());
  MemberDay out;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    const auto user = tx.find_user(login);
    const bool own = actor.login == login;
    const bool theirs = sees_people(actor.role) && user && domain::within(actor.org_path, user->org_path);
    if (!own && !sees_people(actor.role)) {
      return fail(ErrorCode::forbidden, "role", std::string(to_string(actor.role)) + " may not see the duty page");
    }
    if (!user || (!own && !theirs)) return fail(ErrorCode::not_found, "login", std::string(login));
    out.login = user->login;
    out.name = user->name;
    out.grid = user->org;
    out.grid_node = tx.find_org(user->org);
    // A window that began the evening before is part of this day too.
    out.punches = tx.punches_of(login, span->from - kLongestDuty, span->to);
    out.windows = windows_of(out.punches);
    std::erase_if(out.windows, [&](const domain::DutyWindow& window) { return window.to && *window.to < span->from; });
    std::erase_if(out.punches, [&](const PunchRow& punch) { return punch.at < span->from; });
    out.patrols = tx.patrols_of(login, span->from, span->to);
    out.tracks = tx.tracks_of(login, span->from, span->to);
    return {};
  });
  if (!read) return tl::unexpected(read.error());
  // Batch by batch: what lies between two of them was not walked before our eyes.
  for (const auto& track : out.tracks) {
    std::vector<GeoPoint> path;
    path.reserve(track.points.size());
    for (const auto& point : track.points) path.push_back(point.point);
    out.track_m += path_length_m(path);
  }
  return out;
}

Result<void> Duty::sign(Tx& tx, const Record& record, std::int64_t row, const User& member, const Device& device,
                        Cases::Effects& effects) {
  PunchRow punch;
  punch.record = record.id;
  punch.actor = member.login;
  punch.device = device.id;
  punch.act = std::get<SignBody>(record.body).act;
  punch.at = record.at;
  punch.received = services_.clock.now();
  punch.boot = record.boot;
  punch.mono = record.mono;
  punch.clock = record.clock;
  punch.fix = record.fix;
  // C4: a punch outside the own grid is flagged, never refused.
  const auto grid = tx.find_org(member.org);
  const bool has_outline = grid && grid->outline.has_value();
  punch.place = domain::judge_place(record.fix, has_outline ? &*grid->outline : nullptr);
  punch.grid = member.org;
  tx.insert_punch(punch);
  // A sign-out that another of the member's devices brings late ends a window in which tracks were kept already.
  if (punch.act == SignAct::out) drop_off_duty(tx, services_.policy.calendar, member.login, punch.at, punch.at);
  expect_all(tx, record, row);
  effects.live.push_back(duty_event(member));
  return {};
}

void Duty::retime(Tx& tx, const Device& device, const Uuid& boot, const ClockReading& known, Cases::Effects& effects) {
  // All of them first: between two punches of which one has moved there is no window that ever was.
  std::map<std::string, std::pair<UnixMs, UnixMs>> moved;
  for (auto& punch : tx.unconfirmed_punches(device.id, boot)) {
    const auto told = told_by({punch.at, punch.mono, punch.clock}, known);
    if (!told) continue;
    auto& [from, to] = moved.try_emplace(punch.actor, punch.at, punch.at).first->second;
    from = std::min({from, punch.at, told->at});
    to = std::max({to, punch.at, told->at});
    punch.at = told->at;
    punch.clock = told->quality;
    tx.time_punch(punch);
  }
  for (const auto& [login, span] : moved) {
    drop_off_duty(tx, services_.policy.calendar, login, span.first, span.second);
    if (const auto member = tx.find_user(login)) effects.live.push_back(duty_event(*member));
  }
}

Result<void> Duty::patrol(Tx& tx, const Record& record, std::int64_t record_row, const User& member,
                          const Device& device, Cases::Effects& effects) {
  const auto& body = std::get<PatrolBody>(record.body);
  auto row = tx.find_patrol(body.patrol);
  if (row && row->actor != member.login) {
    return fail(ErrorCode::forbidden, "body.patrol", "another member's patrol");
  }
  const bool known = row.has_value();
  if (!known) row = PatrolRow{body.patrol, member.login, device.id, record.at, std::nullopt, {}, {}};
  // Lanes reorder: the end may come before the start, and then stands as both until the start is here.
  if (body.act == PatrolAct::start) {
    row->started = record.at;
  } else {
    row->ended = record.at;
    row->text = body.text;
    row->checks = body.checks;
  }
  tx.upsert_patrol(*row);
  expect_all(tx, record, record_row);
  effects.live.push_back(duty_event(member));
  return {};
}

Result<void> Duty::track(Tx& tx, const Record& record, const User& member, const Device& device,
                         Cases::Effects& effects) {
  const auto& body = std::get<TrackBody>(record.body);
  if (body.points.empty()) return {};
  const auto first = body.points.front().at;
  const auto last = body.points.back().at;
  auto split = domain::keep_on_duty(body.points, windows_around(tx, member.login, first, last));
  count_dropped(tx, services_.policy.calendar, device.id, first, split.dropped);
  if (split.kept.empty()) return {};
  tx.insert_track({record.id, member.login, device.id, body.patrol, std::move(split.kept)});
  effects.live.push_back(duty_event(member));
  return {};
}

}  // namespace gridward::app
