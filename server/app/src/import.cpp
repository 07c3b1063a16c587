#include <algorithm>
#include <gridward/app/services.hpp>
#include <gridward/shared/limits.hpp>
#include <gridward/shared/topics.hpp>
#include <set>

#include "outlines.hpp"

namespace gridward::app {
namespace {

using domain::Role;

constexpr std::size_t kShortestPassword = 8;
constexpr std::size_t kMostProblems = 1000;

bool good_name_text(std::string_view text) {
  return !text.empty() && text.find_first_not_of(" \t\r\n") != std::string_view::npos && valid_utf8(text) &&
         text.size() <= 4 * limits::kNameCharacters;
}

// Codes stand in paths and in topics.
bool good_code(std::string_view text) {
  return !text.empty() && text.size() <= limits::kNameCharacters &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
         });
}
bool good_login(std::string_view text) {
  return !text.empty() && text.size() <= limits::kNameCharacters &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
                  c == '.';
         });
}

// A1 to A3 of the tree: district, town, village, grid; a handling unit hangs anywhere.
std::optional<OrgKind> parent_kind(OrgKind kind) {
  switch (kind) {
    case OrgKind::town:
      return OrgKind::district;
    case OrgKind::village:
      return OrgKind::town;
    case OrgKind::grid:
      return OrgKind::village;
    case OrgKind::district:
    case OrgKind::unit:
      return std::nullopt;
  }
  return std::nullopt;
}

class Check {
 public:
  Check(Tx& tx, const ImportBatch& batch) : tx_(tx), batch_(batch) {}

  // The nodes to write, parents first, with path and outline; empty when there are problems.
  std::vector<ImportProblem> problems;
  std::vector<OrgNode> nodes;

  void run() {
    orgs();
    outlines();
    overlaps();
    users();
    devices();
  }

 private:
  template <class Row>
  void say(const Row& row, std::string field, std::string message) {
    if (problems.size() < kMostProblems) problems.push_back({row.file, row.line, std::move(field), std::move(message)});
  }

  const OrgNode* known(const std::string& code) {
    const auto made = made_.find(code);
    if (made != made_.end()) return &made->second;
    const auto there = there_.find(code);
    if (there != there_.end()) return there->second ? &*there->second : nullptr;
    const auto [at, unused] = there_.emplace(code, tx_.find_org(code));
    return at->second ? &*at->second : nullptr;
  }

  void orgs() {
    std::map<std::string, const OrgRow*> by_code;
    for (const auto& row : batch_.orgs) {
      const auto& node = row.node;
      if (!good_code(node.code)) {
        say(row, "code", "\"" + node.code + "\": 1 to 64 of A-Z a-z 0-9 - _ are needed");
      } else if (const auto [at, fresh] = by_code.emplace(node.code, &row); !fresh) {
        say(row, "code",
            node.code + " stands in " + at->second->file + ":" + std::to_string(at->second->line) + " too");
      }
      if (!good_name_text(node.name)) say(row, "name", "1 to 64 characters are needed");
      if (node.kind == OrgKind::town && !valid_town(node.code)) {
        say(row, "code", node.code + ": a town has a division code of 6, 9 or 12 digits");
      }
    }
    for (const auto& row : batch_.orgs) {
      const auto first = by_code.find(row.node.code);
      if (first != by_code.end() && first->second == &row) place(row, by_code, 0);
    }
    for (const auto& [code, node] : made_) nodes.push_back(node);
    // Parents first: a parent's path is the shorter one.
    std::sort(nodes.begin(), nodes.end(), [](const OrgNode& a, const OrgNode& b) { return a.path < b.path; });
  }

  // Finds the path, the parent's first. depth stops a circle of rows that name each other.
  const OrgNode* place(const OrgRow& row, const std::map<std::string, const OrgRow*>& by_code, int depth) {
    const auto& node = row.node;
    if (placing_.contains(node.code)) {
      const auto done = made_.find(node.code);
      return done == made_.end() ? nullptr : &done->second;
    }
    placing_.insert(node.code);
    const OrgNode* parent = nullptr;
    if (node.kind == OrgKind::district) {
      if (!node.parent.empty()) return say(row, "parent", "a district has no parent"), nullptr;
    } else {
      if (node.parent.empty()) return say(row, "parent", "is needed"), nullptr;
      const auto above = by_code.find(node.parent);
      parent = above != by_code.end() && depth < 16 ? place(*above->second, by_code, depth + 1) : known(node.parent);
      if (parent == nullptr && above != by_code.end()) {
        return say(row, "parent", node.parent + " could not be placed itself"), nullptr;
      }
      if (parent == nullptr) return say(row, "parent", node.parent + " is not known"), nullptr;
      const auto wanted = parent_kind(node.kind);
      const bool fits = wanted ? parent->kind == *wanted : parent->kind != OrgKind::unit;
      if (!fits) {
        return say(row, "parent",
                   std::string(to_string(node.kind)) + " under " + std::string(to_string(parent->kind)) + " " +
                       parent->code + (wanted ? ", under " + std::string(to_string(*wanted)) + " is needed" : "")),
               nullptr;
      }
    }
    OrgNode made = node;
    made.path = parent == nullptr ? node.code : parent->path + "/" + node.code;
    if (const auto there = tx_.find_org(node.code)) {
      // What lies below keeps its path, and cases, people and topics name the code.
      if (there->kind != node.kind) {
        return say(row, "kind", node.code + " is a " + std::string(to_string(there->kind)) + " already"), nullptr;
      }
      if (there->path != made.path)
        return say(row, "parent", node.code + " lies at " + there->path + " already"), nullptr;
      if (!made.outline) made.outline = there->outline;
    }
    return &(made_[node.code] = std::move(made));
  }

  void outlines() {
    std::map<std::string, const OutlineRow*> by_code;
    for (const auto& row : batch_.outlines) {
      const auto [at, fresh] = by_code.emplace(row.code, &row);
      if (!fresh) {
        say(row, "code", row.code + " has an outline in " + at->second->file + ":" + std::to_string(at->second->line));
        continue;
      }
      if (auto problem = outline_problem(row.outline)) {
        say(row, "outline", row.code + ": " + *problem);
        continue;
      }
      const auto* node = known(row.code);
      if (node == nullptr) {
        say(row, "code", row.code + " is not known");
        continue;
      }
      OrgNode with = *node;
      with.outline = row.outline;
      const bool in_batch = made_.contains(row.code);
      made_[row.code] = with;
      if (in_batch) {
        std::find_if(nodes.begin(), nodes.end(), [&](const OrgNode& n) { return n.code == row.code; })->outline =
            row.outline;
      } else {
        nodes.push_back(with);
      }
      drawn_[row.code] = &row;
    }
  }

  // 三级网格无缝对接: grids of one village share borders, never ground.
  void overlaps() {
    std::set<std::string> villages;
    for (const auto& [code, row] : drawn_) {
      const auto* node = known(code);
      if (node != nullptr && node->kind == OrgKind::grid) villages.insert(node->parent);
    }
    for (const auto& village : villages) {
      const auto* parent = known(village);
      if (parent == nullptr) continue;
      std::map<std::string, OrgNode> grids;
      for (const auto& node : tx_.orgs_below(parent->path)) {
        if (node.kind == OrgKind::grid && node.outline) grids[node.code] = node;
      }
      for (const auto& [code, node] : made_) {
        if (node.kind == OrgKind::grid && node.parent == village && node.outline) grids[code] = node;
      }
      for (auto a = grids.begin(); a != grids.end(); ++a) {
        for (auto b = std::next(a); b != grids.end(); ++b) {
          const auto drawn = drawn_.contains(b->first) ? drawn_.find(b->first) : drawn_.find(a->first);
          if (drawn == drawn_.end() || outline_problem(*a->second.outline) || outline_problem(*b->second.outline)) {
            continue;
          }
          if (outlines_overlap(*a->second.outline, *b->second.outline)) {
            say(*drawn->second, "outline", a->first + " and " + b->first + " overlap");
          }
        }
      }
    }
  }

  void users() {
    std::map<std::string, const UserRow*> by_login;
    for (const auto& row : batch_.users) {
      const auto& user = row.user;
      if (!good_login(user.login)) {
        say(row, "login", "\"" + user.login + "\": 1 to 64 of A-Z a-z 0-9 - _ . are needed");
      } else if (const auto [at, fresh] = by_login.emplace(user.login, &row); !fresh) {
        say(row, "login",
            user.login + " stands in " + at->second->file + ":" + std::to_string(at->second->line) + " too");
      }
      if (!good_name_text(user.name)) say(row, "name", "1 to 64 characters are needed");
      if (user.role == Role::system) say(row, "role", "system is nobody's role");
      org_of(row);
      if (row.password.empty() && !tx_.find_user(user.login)) say(row, "password", "a new user needs one");
      if (!row.password.empty() && row.password.size() < kShortestPassword) {
        say(row, "password", "shorter than " + std::to_string(kShortestPassword));
      }
    }
  }

  void org_of(const UserRow& row) {
    const auto& user = row.user;
    const auto* org = known(user.org);
    if (org == nullptr) return say(row, "org", user.org + " is not known");
    // A member's node is the grid their punches are judged against; a unit's node is what orders go to.
    switch (user.role) {
      case Role::grid_member:
        if (org->kind != OrgKind::grid) say(row, "org", user.org + " is no grid");
        break;
      case Role::handling_unit:
      case Role::unit_leader:
        if (org->kind != OrgKind::unit) say(row, "org", user.org + " is no handling unit");
        break;
      case Role::grid_leader:
        if (org->kind != OrgKind::village && org->kind != OrgKind::town) {
          say(row, "org", user.org + " is no village or town");
        }
        break;
      case Role::town_operator:
      case Role::intake_desk:
      case Role::coordination_desk:
      case Role::supervisor:
      case Role::channel:
        if (org->kind != OrgKind::town && org->kind != OrgKind::district) {
          say(row, "org", user.org + " is no town or district");
        }
        break;
      case Role::inspector:
      case Role::leader:
      case Role::system_admin:
      case Role::system:
        break;
    }
  }

  void devices() {
    std::map<std::string, const DeviceRow*> by_id;
    std::map<std::string, const User*> in_batch;
    for (const auto& row : batch_.users) in_batch[row.user.login] = &row.user;
    for (const auto& row : batch_.devices) {
      const auto& device = row.device;
      if (!valid_device_id(device.id)) {
        say(row, "id", "\"" + device.id + "\": 1 to 64 of A-Z a-z 0-9 - _ are needed");
      } else if (const auto [at, fresh] = by_id.emplace(device.id, &row); !fresh) {
        say(row, "id", device.id + " stands in " + at->second->file + ":" + std::to_string(at->second->line) + " too");
      }
      const auto* town = known(device.town);
      if (town == nullptr || town->kind != OrgKind::town) {
        say(row, "town", device.town + " is no town");
        continue;
      }
      if (device.holder.empty()) continue;
      const auto made = in_batch.find(device.holder);
      const auto there = made == in_batch.end() ? tx_.find_user(device.holder) : std::optional(*made->second);
      const auto* home = there ? known(there->org) : nullptr;
      if (!there) {
        say(row, "holder", device.holder + " is not known");
      } else if (home == nullptr || !domain::within(town->path, home->path)) {
        say(row, "holder", device.holder + " does not belong to " + device.town);
      }
    }
  }

  Tx& tx_;
  const ImportBatch& batch_;
  std::map<std::string, OrgNode> made_;
  std::map<std::string, std::optional<OrgNode>> there_;
  std::map<std::string, const OutlineRow*> drawn_;
  std::set<std::string> placing_;
};

ImportProblem lost(const Error& error) { return {"", 0, error.field, to_string(error)}; }

}  // namespace

ImportReport run_import(Services services, const ImportBatch& batch) {
  ImportReport report;
  const auto read = services.store.read([&](Tx& tx) -> Result<void> {
    Check check(tx, batch);
    check.run();
    report.problems = std::move(check.problems);
    return {};
  });
  if (!read) report.problems.push_back(lost(read.error()));
  if (!report.problems.empty()) return report;

  // Slow on purpose, so before the writer's thread is asked.
  std::vector<std::string> hashes;
  hashes.reserve(batch.users.size());
  for (const auto& row : batch.users) {
    hashes.push_back(row.password.empty() ? std::string() : services.crypto.hash_password(row.password));
  }
  const auto written = services.store.write([&](Tx& tx) -> Result<void> {
    report.problems.clear();
    Check check(tx, batch);
    check.run();
    if (!check.problems.empty()) {
      report.problems = std::move(check.problems);
      return fail(ErrorCode::import_invalid);
    }
    for (const auto& node : check.nodes) tx.upsert_org(node);
    for (std::size_t i = 0; i < batch.users.size(); ++i) {
      User user = batch.users[i].user;
      if (!hashes[i].empty()) {
        user.password_hash = hashes[i];
      } else if (const auto there = tx.find_user(user.login)) {
        user.password_hash = there->password_hash;
      }
      tx.upsert_user(user);
    }
    for (const auto& row : batch.devices) {
      Device device = row.device;
      if (const auto there = tx.find_device(device.id)) {
        // What the device itself told stays; a list without keys does not take one away.
        device.last_seen = there->last_seen;
        device.status = there->status;
        device.revoked = device.revoked || there->revoked;
        if (device.public_key == PublicKey{}) device.public_key = there->public_key;
      }
      tx.upsert_device(device);
    }
    return {};
  });
  if (!written && report.problems.empty()) report.problems.push_back(lost(written.error()));
  if (!report.problems.empty()) return report;
  report.orgs = batch.orgs.size();
  report.outlines = batch.outlines.size();
  report.users = batch.users.size();
  report.devices = batch.devices.size();
  return report;
}

}  // namespace gridward::app
