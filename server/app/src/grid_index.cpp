#include "grid_index.hpp"

#include <algorithm>

namespace gridward::app {
namespace {

constexpr auto kRevisionLife = std::chrono::seconds{1};

}  // namespace

std::shared_ptr<const Cases::GridIndex::Town> Cases::GridIndex::town_of(Tx& tx, const std::string& town, UnixMs now) {
  {
    const std::scoped_lock lock(mutex_);
    const auto known = towns_.find(town);
    if (known != towns_.end() && now < known->second->looked + kRevisionLife) return known->second;
  }
  const auto revision = tx.org_revision();
  {
    const std::scoped_lock lock(mutex_);
    const auto known = towns_.find(town);
    if (known != towns_.end() && known->second->revision == revision) {
      known->second->looked = now;
      return known->second;
    }
  }
  auto fresh = std::make_shared<Town>();
  fresh->revision = revision;
  fresh->looked = now;
  fresh->path = town;
  if (const auto node = tx.find_org(town)) {
    fresh->path = node->path;
    for (auto& below : tx.orgs_below(node->path)) {
      if (below.kind != OrgKind::grid || !below.outline || below.outline->outer.empty()) continue;
      Grid grid{below.code, below.path, std::move(*below.outline), {}, {}};
      grid.low = grid.high = grid.outline.outer.front();
      for (const auto& p : grid.outline.outer) {
        grid.low = {std::min(grid.low.lat_e7, p.lat_e7), std::min(grid.low.lon_e7, p.lon_e7)};
        grid.high = {std::max(grid.high.lat_e7, p.lat_e7), std::max(grid.high.lon_e7, p.lon_e7)};
      }
      fresh->grids.push_back(std::move(grid));
    }
  }
  const std::scoped_lock lock(mutex_);
  towns_[town] = fresh;
  return fresh;
}

Cases::GridIndex::Place Cases::GridIndex::find(Tx& tx, const std::string& town, const std::optional<Fix>& fix,
                                               UnixMs now) {
  const auto known = town_of(tx, town, now);
  if (fix) {
    const auto p = fix->point;
    for (const auto& grid : known->grids) {
      const bool in_box = p.lat_e7 >= grid.low.lat_e7 && p.lat_e7 <= grid.high.lat_e7 && p.lon_e7 >= grid.low.lon_e7 &&
                          p.lon_e7 <= grid.high.lon_e7;
      if (in_box && contains(grid.outline, p)) return {grid.code, grid.path};
    }
  }
  return {{}, known->path};
}

std::vector<std::string> Cases::GridIndex::towns(Tx& tx, const std::string& path, UnixMs) {
  const auto revision = tx.org_revision();
  {
    const std::scoped_lock lock(mutex_);
    const auto known = below_.find(path);
    if (known != below_.end() && known->second.revision == revision) return known->second.codes;
  }
  Towns fresh{revision, {}};
  for (const auto& node : tx.orgs_below(path)) {
    if (node.kind == OrgKind::town) fresh.codes.push_back(node.code);
  }
  // Of a village or a grid: the town it lies in.
  if (fresh.codes.empty()) {
    for (auto node = tx.find_org(path.substr(path.rfind('/') + 1)); node; node = tx.find_org(node->parent)) {
      if (node->kind == OrgKind::town) fresh.codes.push_back(node->code);
    }
  }
  const std::scoped_lock lock(mutex_);
  return (below_[path] = std::move(fresh)).codes;
}

}  // namespace gridward::app
