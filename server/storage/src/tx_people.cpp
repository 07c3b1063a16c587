#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

std::int64_t limit_number(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000));
}

template <class... Args>
std::vector<app::OrgNode> read_orgs(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::OrgNode> nodes;
  db.each<std::string, std::string, std::string, std::string, std::string, std::optional<std::string>>(
      sql,
      [&](std::string code, std::string parent, std::string scope, const std::string& kind, std::string name,
          const std::optional<std::string>& outline) {
        const auto known = app::org_kind_from_string(kind);
        if (!known) unreadable("kind of an organisation", kind);
        nodes.push_back({std::move(code), std::move(parent), path_of(std::move(scope)), *known, std::move(name),
                         outline ? std::optional(outline_of(*outline)) : std::nullopt});
      },
      args...);
  return nodes;
}

template <class... Args>
std::vector<app::User> read_users(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::User> users;
  db.each<std::string, std::string, std::string, std::string, std::optional<std::string>, std::string, std::int64_t>(
      sql,
      [&](std::string login, std::string name, const std::string& role, std::string org,
          std::optional<std::string> scope, std::string password_hash, std::int64_t active) {
        app::User user;
        user.login = std::move(login);
        user.name = std::move(name);
        user.role = role_of(role);
        user.org = std::move(org);
        user.org_path = path_of(std::move(scope).value_or(""));
        user.password_hash = std::move(password_hash);
        user.active = active != 0;
        users.push_back(std::move(user));
      },
      args...);
  return users;
}

template <class... Args>
std::vector<app::Device> read_devices(Connection& db, std::string_view sql, const Args&... args) {
  std::vector<app::Device> devices;
  db.each<std::string, std::string, std::string, std::string, std::int64_t, std::optional<std::int64_t>,
          std::optional<std::string>>(
      sql,
      [&](std::string id, std::string town, std::string holder, const std::string& key, std::int64_t revoked,
          std::optional<std::int64_t> seen, const std::optional<std::string>& status) {
        app::Device device;
        device.id = std::move(id);
        device.town = std::move(town);
        device.holder = std::move(holder);
        device.public_key = sha256_of(key);  // 32 bytes in hex, as a hash is
        device.revoked = revoked != 0;
        if (seen) device.last_seen = from_unix_ms(*seen);
        if (status) device.status = status_of(*status);
        devices.push_back(std::move(device));
      },
      args...);
  return devices;
}

template <class T>
std::optional<T> only(std::vector<T> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

}  // namespace

std::string scope_text(std::string_view path) { return path.empty() ? std::string() : std::string(path) + "/"; }

std::string path_of(std::string scope) {
  if (!scope.empty()) scope.pop_back();
  return scope;
}

std::string area_of(std::string_view path) {
  const auto first = path.find('/');
  if (first == std::string_view::npos) return scope_text(path);
  return scope_text(path.substr(0, path.find('/', first + 1)));
}

Subtree::Subtree(std::string_view path) : from(scope_text(path)), to(from) {
  if (to.empty()) {
    to = "\xF4\x8F\xBF\xBF";  // the last code point
  } else {
    to.back() = '/' + 1;
  }
}

WriteState& SqlTx::state() {
  if (state_ == nullptr) throw std::logic_error("a write in a read transaction");
  return *state_;
}

std::int64_t SqlTx::count_up(const std::string& counter) {
  const auto* known = state().find_counter(counter);
  const auto before = known != nullptr
                          ? *known
                          : db_.value<std::int64_t>("SELECT n FROM counters WHERE name = :m", counter).value_or(0);
  state().set_counter(counter, before + 1);
  return before + 1;
}

// ---- organisation

void SqlTx::upsert_org(const app::OrgNode& node) {
  db_.change(
      "INSERT INTO orgs (code, parent, scope, kind, name, outline) VALUES (:c, :p, :s, :k, :n, :o) "
      "ON CONFLICT (code) DO UPDATE SET parent = excluded.parent, scope = excluded.scope, kind = excluded.kind, "
      "name = excluded.name, outline = excluded.outline",
      node.code, node.parent, scope_text(node.path), app::to_string(node.kind), node.name,
      node.outline ? std::optional(outline_text(*node.outline)) : std::nullopt);
  db_.change(
      "INSERT INTO counters (name, n) VALUES ('org_revision', 1) ON CONFLICT (name) DO UPDATE SET n = counters.n + 1");
}

std::optional<app::OrgNode> SqlTx::find_org(std::string_view code) {
  return only(read_orgs(db_, "SELECT code, parent, scope, kind, name, outline FROM orgs WHERE code = :c", code));
}

std::vector<app::OrgNode> SqlTx::orgs_below(std::string_view path) {
  const Subtree range(path);
  return read_orgs(db_,
                   "SELECT code, parent, scope, kind, name, outline FROM orgs WHERE scope >= :f AND scope < :t "
                   "ORDER BY scope",
                   range.from, range.to);
}

std::uint64_t SqlTx::org_revision() {
  return static_cast<std::uint64_t>(
      db_.value<std::int64_t>("SELECT n FROM counters WHERE name = 'org_revision'").value_or(0));
}

// ---- people

void SqlTx::upsert_user(const app::User& user) {
  db_.change(
      "INSERT INTO users (login, name, role, org, password_hash, active) VALUES (:l, :n, :r, :o, :p, :a) "
      "ON CONFLICT (login) DO UPDATE SET name = excluded.name, role = excluded.role, org = excluded.org, "
      "password_hash = excluded.password_hash, active = excluded.active",
      user.login, user.name, domain::to_string(user.role), user.org, user.password_hash, user.active);
}

std::optional<app::User> SqlTx::find_user(std::string_view login) {
  return only(read_users(db_,
                         "SELECT u.login, u.name, u.role, u.org, o.scope, u.password_hash, u.active FROM users u "
                         "LEFT JOIN orgs o ON o.code = u.org WHERE u.login = :l",
                         login));
}

std::vector<app::User> SqlTx::users_below(std::string_view path) {
  const Subtree range(path);
  return read_users(db_,
                    "SELECT u.login, u.name, u.role, u.org, o.scope, u.password_hash, u.active FROM orgs o "
                    "JOIN users u ON u.org = o.code WHERE o.scope >= :f AND o.scope < :t ORDER BY u.login",
                    range.from, range.to);
}

void SqlTx::insert_session(const app::Session& session) {
  db_.change("INSERT INTO sessions (token_hash, login, created, expires) VALUES (:t, :l, :c, :e)",
             to_hex(session.token_hash), session.login, to_unix_ms(session.created), to_unix_ms(session.expires));
}

std::optional<app::Session> SqlTx::find_session(const Sha256& token_hash) {
  std::optional<app::Session> found;
  db_.each<std::string, std::int64_t, std::int64_t>(
      "SELECT login, created, expires FROM sessions WHERE token_hash = :t",
      [&](std::string login, std::int64_t created, std::int64_t expires) {
        found = app::Session{token_hash, std::move(login), from_unix_ms(created), from_unix_ms(expires)};
      },
      to_hex(token_hash));
  return found;
}

void SqlTx::delete_session(const Sha256& token_hash) {
  db_.change("DELETE FROM sessions WHERE token_hash = :t", to_hex(token_hash));
}

void SqlTx::purge_sessions(UnixMs now) { db_.change("DELETE FROM sessions WHERE expires <= :n", to_unix_ms(now)); }

// ---- devices

void SqlTx::upsert_device(const app::Device& device) {
  db_.change(
      "INSERT INTO devices (id, town, holder, public_key, revoked, last_seen, status) "
      "VALUES (:i, :t, :h, :k, :r, :s, :b) "
      "ON CONFLICT (id) DO UPDATE SET town = excluded.town, holder = excluded.holder, "
      "public_key = excluded.public_key, revoked = excluded.revoked, "
      "last_seen = COALESCE(excluded.last_seen, devices.last_seen), status = COALESCE(excluded.status, devices.status)",
      device.id, device.town, device.holder, to_hex(device.public_key), device.revoked,
      device.last_seen ? std::optional(to_unix_ms(*device.last_seen)) : std::nullopt,
      device.status ? std::optional(status_text(*device.status)) : std::nullopt);
}

void SqlTx::overlay(app::Device& device) const {
  if (state_ == nullptr) return;
  const auto* touch = state_->find_touch(device.id);
  if (touch == nullptr) return;
  device.last_seen = touch->seen;
  if (touch->status) device.status = touch->status;
}

std::optional<app::Device> SqlTx::find_device(std::string_view id) {
  auto found = only(read_devices(
      db_, "SELECT id, town, holder, public_key, revoked, last_seen, status FROM devices WHERE id = :i", id));
  if (found) overlay(*found);
  return found;
}

std::vector<app::Device> SqlTx::devices_below(std::string_view path) {
  const Subtree range(path);
  auto found = read_devices(db_,
                            "SELECT d.id, d.town, d.holder, d.public_key, d.revoked, d.last_seen, d.status FROM orgs o "
                            "JOIN devices d ON d.town = o.code WHERE o.scope >= :f AND o.scope < :t ORDER BY d.id",
                            range.from, range.to);
  for (auto& device : found) overlay(device);
  return found;
}

void SqlTx::touch_device(std::string_view id, UnixMs seen, const std::optional<StatusBody>& status) {
  state().touch(std::string(id), {seen, status});
}

std::optional<std::string> SqlTx::device_of(std::string_view login) {
  if (login.empty()) return std::nullopt;
  const auto* noted = state_ == nullptr ? nullptr : state_->last_device(std::string(login));
  auto last = noted != nullptr ? std::optional(*noted)
                               : db_.value<std::string>("SELECT device FROM last_devices WHERE login = :l", login);
  if (last && db_.value<std::int64_t>("SELECT revoked FROM devices WHERE id = :i", *last).value_or(1) == 0) return last;
  return db_.value<std::string>(
      "SELECT id FROM devices WHERE holder = :l AND holder <> '' AND revoked = 0 ORDER BY id LIMIT 1", login);
}

// ---- down

std::uint64_t SqlTx::enqueue_down(std::string_view device, std::string_view kind, std::string_view body, UnixMs now) {
  const auto n = count_up("down/" + std::string(device));
  db_.change("INSERT INTO down_items (device, n, kind, body, created) VALUES (:d, :n, :k, :b, :c)", device, n, kind,
             body, to_unix_ms(now));
  return static_cast<std::uint64_t>(n);
}

std::vector<DownItem> SqlTx::pending_down(std::string_view device, std::size_t limit) {
  std::vector<DownItem> items;
  db_.each<std::int64_t, std::string, std::string>(
      "SELECT n, kind, body FROM down_items WHERE device = :d ORDER BY n LIMIT :l",
      [&](std::int64_t n, std::string kind, std::string body) {
        items.push_back({static_cast<std::uint64_t>(n), std::move(kind), std::move(body)});
      },
      device, limit_number(limit));
  return items;
}

void SqlTx::ack_down(std::string_view device, std::uint64_t n) {
  const auto upto = static_cast<std::int64_t>(std::min<std::uint64_t>(n, INT64_MAX));
  db_.change("DELETE FROM down_items WHERE device = :d AND n <= :n", device, upto);
}

}  // namespace gridward::storage
