#include "likeness.hpp"

#include <algorithm>
#include <set>

namespace gridward::app {
namespace {

using domain::LikenessKind;

constexpr std::size_t kBatch = 8;
constexpr std::size_t kCandidates = 24;  // compared with; a copy shares more with its original than chance does
constexpr std::uint32_t kWhole = 1000;

bool is_before(MediaRole role) { return role == MediaRole::scene || role == MediaRole::before; }
bool counts(MediaRole role) { return is_before(role) || role == MediaRole::after; }

std::string_view root_of(std::string_view path) { return path.substr(0, path.find('/')); }

// The same file, or a copy, in a record of its own is once more; two views of one moment in one record are not.
// Within a case only an after-photo must be new: what was reported is often reported again.
bool is_reuse(const PhotoUse& earlier, const PhotoUse& later) {
  if (earlier.link >= later.link || earlier.record == later.record) return false;
  if (!counts(earlier.role) || !counts(later.role)) return false;
  return earlier.case_id != later.case_id || later.role == MediaRole::after;
}

}  // namespace

LikenessJobs::LikenessJobs(Services services, PhotoDeriver& deriver, PhotoComparer& comparer)
    : services_(services), deriver_(deriver), comparer_(comparer) {}

bool LikenessJobs::run_once() {
  std::vector<LikenessJob> jobs;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    jobs = tx.likeness_jobs(kBatch);
    return {};
  });
  if (!read) return false;
  bool progress = false;
  for (const auto& job : jobs) {
    const auto done = run(job.sha256);
    if (done) {
      progress = true;
      continue;
    }
    // It waits behind the others: what is not to be had now may be later.
    (void)services_.store.write([&](Tx& tx) -> Result<void> {
      tx.retry_likeness_job(job.sha256);
      return {};
    });
  }
  return progress;
}

Result<std::vector<std::int64_t>> LikenessJobs::keys_of(const Sha256& sha) {
  auto keys = comparer_.keys(sha);
  if (keys || keys.error().code != ErrorCode::not_found) return keys;
  // Derived by a program of before, or its files are gone: once more.
  const auto numbers = deriver_.derive(sha);
  if (!numbers) return tl::unexpected(numbers.error());
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    tx.set_photo_numbers(sha, *numbers);
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  return comparer_.keys(sha);
}

Result<void> LikenessJobs::run(const Sha256& sha) {
  std::vector<LikenessFinding> found;
  const auto keys = keys_of(sha);
  if (keys) {
    if (auto judged = judge(sha, *keys, found); !judged) return judged;
  } else if (error_info(keys.error().code).retryable || keys.error().code == ErrorCode::storage_failed) {
    return tl::unexpected(keys.error());
  }
  std::vector<LiveEvent> live;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    live.clear();
    if (keys) tx.set_photo_keys(sha, *keys);
    std::set<Uuid> changed;
    for (const auto& finding : found) {
      bool news = tx.put_finding(finding);
      // Of these two only one can be.
      if (finding.kind == LikenessKind::same_place) {
        news |= tx.remove_finding(finding.case_id, finding.sha256, LikenessKind::other_place);
      } else if (finding.kind == LikenessKind::other_place) {
        news |= tx.remove_finding(finding.case_id, finding.sha256, LikenessKind::same_place);
      }
      if (news) changed.insert(finding.case_id);
    }
    tx.finish_likeness_job(sha);
    for (const auto& id : changed) live.push_back({"photo", to_string(id), tx.case_org_path(id), 0});
    return {};
  });
  if (!written) return written;
  for (const auto& event : live) services_.live.publish(event);
  return {};
}

Result<void> LikenessJobs::judge(const Sha256& sha, std::span<const std::int64_t> keys,
                                 std::vector<LikenessFinding>& found) {
  std::vector<PhotoUse> uses;
  std::vector<std::vector<PhotoUse>> others;       // of the photos that may be alike, and of this one itself
  std::map<Uuid, std::vector<PhotoUse>> in_cases;  // photos of the cases of this one
  std::map<Uuid, std::string> districts;
  std::optional<PhotoNumbers> numbers;
  const auto read = services_.store.read([&](Tx& tx) -> Result<void> {
    uses = tx.photo_uses(sha);
    numbers = tx.photo_numbers(sha);
    if (uses.empty()) return {};
    others.push_back(uses);
    for (const auto& alike : tx.alike_photos(keys, sha, kCandidates)) others.push_back(tx.photo_uses(alike));
    for (const auto& of : others) {
      for (const auto& use : of) {
        if (!districts.contains(use.case_id)) districts[use.case_id] = root_of(tx.case_org_path(use.case_id));
      }
    }
    for (const auto& use : uses) in_cases.try_emplace(use.case_id, tx.case_photos(use.case_id));
    return {};
  });
  if (!read) return read;
  const auto now = services_.clock.now();

  std::set<Uuid> blurred;
  for (const auto& use : uses) {
    if (numbers && counts(use.role) && domain::is_blurred(numbers->sharpness) && blurred.insert(use.case_id).second) {
      found.push_back({use.case_id, sha, LikenessKind::blurred, 0, std::nullopt, std::nullopt, now});
    }
  }
  if (auto done = judge_reuse(sha, uses, others, districts, now, found); !done) return done;
  for (const auto& [case_id, photos] : in_cases) {
    if (auto done = judge_places(sha, photos, now, found); !done) return done;
  }
  return {};
}

Result<void> LikenessJobs::judge_reuse(const Sha256& sha, const std::vector<PhotoUse>& uses,
                                       const std::vector<std::vector<PhotoUse>>& others,
                                       const std::map<Uuid, std::string>& districts, UnixMs now,
                                       std::vector<LikenessFinding>& found) {
  // One of each photo of a case: the likest, and of those the first.
  std::map<std::pair<Uuid, Sha256>, LikenessFinding> best;
  const auto note = [&](const PhotoUse& earlier, const PhotoUse& later, std::uint32_t score) {
    if (!is_reuse(earlier, later) || districts.at(earlier.case_id) != districts.at(later.case_id)) return;
    const LikenessFinding finding{later.case_id,   later.sha256, LikenessKind::reused, score, earlier.sha256,
                                  earlier.case_id, now};
    const auto [place, fresh] = best.try_emplace({later.case_id, later.sha256}, finding);
    if (!fresh && place->second.score < score) place->second = finding;
  };
  for (const auto& of : others) {
    if (of.empty()) continue;
    const auto& other = of.front().sha256;
    if (other == sha) {
      for (const auto& earlier : uses) {
        for (const auto& later : uses) note(earlier, later, kWhole);
      }
      continue;
    }
    // Which of them came first decides what is laid over what.
    const bool first = of.front().link < uses.front().link;
    const auto likeness = first ? comparer_.compare(other, sha) : comparer_.compare(sha, other);
    if (!likeness && likeness.error().code == ErrorCode::not_found) continue;  // its own job is still to come
    if (!likeness) return tl::unexpected(likeness.error());
    if (!domain::is_copy(likeness->copy)) continue;
    for (const auto& use : uses) {
      for (const auto& there : of) {
        note(there, use, likeness->copy);
        note(use, there, likeness->copy);
      }
    }
  }
  for (auto& [key, finding] : best) found.push_back(std::move(finding));
  return {};
}

// Every after-photo of the case against its before-photos, whichever of them has just come. Only the pairs of this
// photo are compared, unless it is a before-photo: then the best of all is what counts.
Result<void> LikenessJobs::judge_places(const Sha256& sha, const std::vector<PhotoUse>& photos, UnixMs now,
                                        std::vector<LikenessFinding>& found) {
  const bool is_new_before =
      std::ranges::any_of(photos, [&](const PhotoUse& use) { return use.sha256 == sha && is_before(use.role); });
  std::set<Sha256> done;
  for (const auto& after : photos) {
    if (after.role != MediaRole::after || (after.sha256 != sha && !is_new_before)) continue;
    if (!done.insert(after.sha256).second) continue;
    std::optional<LikenessFinding> best;
    for (const auto& before : photos) {
      if (!is_before(before.role) || before.sha256 == after.sha256) continue;
      const auto likeness = comparer_.compare(before.sha256, after.sha256);
      if (!likeness && likeness.error().code == ErrorCode::not_found) continue;
      if (!likeness) return tl::unexpected(likeness.error());
      const auto kind = domain::judge_place(likeness->judged, likeness->place);
      if (!kind || (best && best->score >= likeness->place)) continue;
      best = LikenessFinding{after.case_id, after.sha256, *kind, likeness->place, before.sha256, after.case_id, now};
    }
    if (best) found.push_back(std::move(*best));
  }
  return {};
}

void add_flags(Tx& tx, const domain::Actor& actor, const Uuid& case_id, std::vector<MediaView>& media) {
  std::map<Uuid, bool> seen{{case_id, true}};
  for (const auto& finding : tx.case_findings(case_id)) {
    const auto view = std::ranges::find(media, finding.sha256, &MediaView::sha256);
    if (view == media.end() || view->status != MediaStatus::derived) continue;
    PhotoFlag flag{finding.kind, finding.score, finding.other, finding.other_case};
    if (finding.other_case) {
      const auto [may, fresh] = seen.try_emplace(*finding.other_case, false);
      if (fresh) {
        const auto other = tx.find_case(*finding.other_case);
        may->second = other && domain::concerns(*other, tx.case_org_path(*finding.other_case), actor);
      }
      if (!may->second) {
        flag.other.reset();
        flag.other_case.reset();
      }
    }
    view->flags.push_back(std::move(flag));
  }
}

}  // namespace gridward::app
