// Which grid of a town a point lies in. Outlines are read once per revision of the organisation, and the revision once
// a second, not once per report. Thread-safe.
#pragma once

#include <gridward/app/services.hpp>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

namespace gridward::app {

class Cases::GridIndex {
 public:
  struct Place {
    std::string grid;  // empty: in no grid
    std::string path;  // of the grid, else of the town
  };
  // The town's node must exist; otherwise the path is the town's code.
  Place find(Tx& tx, const std::string& town, const std::optional<Fix>& fix, UnixMs now);
  // Codes of the towns of this subtree.
  std::vector<std::string> towns(Tx& tx, const std::string& path, UnixMs now);

 private:
  struct Grid {
    std::string code;
    std::string path;
    Polygon outline;
    GeoPoint low{};
    GeoPoint high{};
  };
  struct Town {
    std::uint64_t revision = 0;
    UnixMs looked{};  // when the revision was last asked for
    std::string path;
    std::vector<Grid> grids;
  };
  std::shared_ptr<const Town> town_of(Tx& tx, const std::string& town, UnixMs now);

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Town>> towns_;  // as many as the registry has
  struct Towns {
    std::uint64_t revision = 0;
    std::vector<std::string> codes;
  };
  std::map<std::string, Towns> below_;  // by path; as many as there are desks
};

}  // namespace gridward::app
