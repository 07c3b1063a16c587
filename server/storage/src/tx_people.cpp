#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {
namespace {

std::int64_t limit_number(std::size_t limit) {
  return static_cast<std::int64_t>(std::min<std::size_t>(limit, 1'000'000'000));
}

// More than the items of a device's life, less than the numbers there are.
constexpr std::uint64_t kFarthestAck = 1ULL << 32;

std::string down_counter(std::string_view device) { return "down/" + std::string(device); }

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

std::int64_t SqlTx::counter(const std::string& name) {
  if (const auto* known = state().find_counter(name)) return *known;
  return db_.value<std::int64_t>("SELECT n FROM counters WHERE name = :m", name).value_or(0);
}

std::int64_t SqlTx::count_up(const std::string& name) {
  const auto next = counter(name) + 1;
  state().set_counter(name, next);
  return next;
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

bool SqlTx::knows_place(std::string_view login, const Sha256& place) {
  return db_.value<std::int64_t>("SELECT 1 FROM login_places WHERE login = :l AND place = :p", login, to_hex(place))
      .has_value();
}

void SqlTx::note_place(std::string_view login, const Sha256& place, UnixMs now) {
  db_.change(
      "INSERT INTO login_places (login, place, last_at) VALUES (:l, :p, :t) "
      "ON CONFLICT (login, place) DO UPDATE SET last_at = excluded.last_at",
      login, to_hex(place), to_unix_ms(now));
}

void SqlTx::purge_places(UnixMs before) {
  db_.change("DELETE FROM login_places WHERE last_at < :b", to_unix_ms(before));
}

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

app::Handed SqlTx::handed(std::string_view device) {
  app::Handed handed;
  db_.each<std::string, std::string, std::string>(
      "SELECT handed_epoch, handed_settings, handed_categories FROM devices WHERE id = :i AND handed_epoch <> ''",
      [&](const std::string& epoch, std::string settings, std::string categories) {
        handed = {uuid_of(epoch), std::move(settings), std::move(categories)};
      },
      device);
  return handed;
}

void SqlTx::set_handed(std::string_view device, const app::Handed& handed) {
  db_.change("UPDATE devices SET handed_epoch = :e, handed_settings = :s, handed_categories = :c WHERE id = :i",
             uuid_text(handed.epoch), handed.settings, handed.categories, device);
}

std::optional<std::string> SqlTx::device_of(std::string_view login) {
  if (login.empty()) return std::nullopt;
  const auto* noted = state_ == nullptr ? nullptr : state_->last_device(std::string(login));
  auto last = noted != nullptr ? std::optional(noted->device)
                               : db_.value<std::string>("SELECT device FROM last_devices WHERE login = :l", login);
  if (last && db_.value<std::int64_t>("SELECT revoked FROM devices WHERE id = :i", *last).value_or(1) == 0) return last;
  return db_.value<std::string>(
      "SELECT id FROM devices WHERE holder = :l AND holder <> '' AND revoked = 0 ORDER BY id LIMIT 1", login);
}

void SqlTx::note_device(std::string_view login, std::string_view device, UnixMs at) {
  // A member's day is hundreds of records from one device: its row is written once a minute.
  constexpr std::chrono::minutes kPrecision{1};
  const std::string who(login);
  const auto* known = state().last_device(who);
  if (known == nullptr) {
    db_.each<std::string, std::int64_t>(
        "SELECT device, at FROM last_devices WHERE login = :l",
        [&](std::string last, std::int64_t last_at) {
          state().set_last_device(who, {std::move(last), from_unix_ms(last_at)}, false);
        },
        login);
    known = state().last_device(who);
  }
  if (known != nullptr && (at < known->at || (known->device == device && at < known->at + kPrecision))) return;
  state().set_last_device(who, {std::string(device), at}, true);
}

// ---- down

std::uint64_t SqlTx::enqueue_down(std::string_view device, std::string_view kind, std::string_view body, UnixMs now) {
  const auto n = count_up(down_counter(device));
  // What a restored store numbers may have the number of another item that the device got before the restore, and would
  // be taken for that one.
  const bool kept_back = unagreed_generation(device).has_value();
  db_.change(
      "INSERT INTO down_items (device, n, kind, body, created, sent, kept_back) "
      "VALUES (:d, :n, :k, :b, :c, :s, :h)",
      device, n, kind, body, to_unix_ms(now), to_unix_ms(now), kept_back);
  return static_cast<std::uint64_t>(n);
}

// The store's generation while it was restored and this device has not yet told it which numbers it has.
std::optional<std::string> SqlTx::unagreed_generation(std::string_view device) {
  return db_.value<std::string>(
      "SELECT g.generation FROM store_generation g WHERE g.one = 1 AND g.generation <> g.first_generation "
      "AND NOT EXISTS (SELECT 1 FROM down_agreed a WHERE a.device = :d AND a.generation = g.generation)",
      device);
}

std::vector<DownItem> SqlTx::pending_down(std::string_view device, std::size_t limit) {
  std::vector<DownItem> items;
  db_.each<std::int64_t, std::string, std::string>(
      "SELECT n, kind, body FROM down_items WHERE device = :d AND kept_back = 0 ORDER BY n LIMIT :l",
      [&](std::int64_t n, std::string kind, std::string body) {
        items.push_back({static_cast<std::uint64_t>(n), std::move(kind), std::move(body)});
      },
      device, limit_number(limit));
  return items;
}

std::uint64_t SqlTx::first_down(std::string_view device) {
  const auto lowest = db_.value<std::int64_t>("SELECT n FROM down_items WHERE device = :d ORDER BY n LIMIT 1", device);
  return static_cast<std::uint64_t>(lowest ? *lowest : counter(down_counter(device)) + 1);
}

std::optional<DownItem> SqlTx::last_pending_down(std::string_view device, std::string_view kind) {
  std::optional<DownItem> last;
  db_.each<std::int64_t, std::string>(
      "SELECT n, body FROM down_items WHERE device = :d AND kind = :k ORDER BY n DESC LIMIT 1",
      [&](std::int64_t n, std::string body) {
        last = DownItem{static_cast<std::uint64_t>(n), std::string(kind), std::move(body)};
      },
      device, kind);
  return last;
}

std::vector<std::string> SqlTx::overdue_devices(UnixMs before, UnixMs seen_since, std::size_t limit) {
  std::vector<std::string> devices;
  // CROSS: SQLite begins with the devices. The items of those who are away may be many more.
  db_.each<std::string>(
      "SELECT d.id FROM devices d CROSS JOIN down_items i WHERE d.last_seen >= :s AND d.revoked = 0 "
      "AND i.device = d.id AND i.sent <= :b "
      "AND i.n = (SELECT MIN(m.n) FROM down_items m WHERE m.device = d.id AND m.kept_back = 0) "
      "ORDER BY i.sent, d.id LIMIT :l",
      [&](std::string device) { devices.push_back(std::move(device)); }, to_unix_ms(seen_since), to_unix_ms(before),
      limit_number(limit));
  return devices;
}

void SqlTx::sent_down(std::string_view device, std::uint64_t from, std::uint64_t to, UnixMs now) {
  db_.change("UPDATE down_items SET sent = :t WHERE device = :d AND n >= :f AND n <= :l", to_unix_ms(now), device, from,
             to);
}

void SqlTx::agree_down(std::string_view device, std::optional<std::uint64_t> ack) {
  const auto name = down_counter(device);
  const auto given = counter(name);
  const auto unagreed = unagreed_generation(device);
  // No device can have got this many numbers more than were given: it is broken, and following it would use up numbers.
  if (ack && *ack > static_cast<std::uint64_t>(given) + kFarthestAck) return;
  if (ack) {
    const auto has = static_cast<std::int64_t>(*ack);
    // From here on an item of ours cannot be what the device has by its number. When the device has more than was
    // given, the store was put back and nobody said so: then it is any of them.
    const auto first_kept_back = db_.value<std::int64_t>(
        "SELECT n FROM down_items WHERE device = :d AND kept_back = 1 ORDER BY n LIMIT 1", device);
    const bool put_back = has > given && !unagreed;
    if (put_back) db_.change("UPDATE devices SET handed_epoch = '' WHERE id = :d", device);
    const auto own = first_kept_back.value_or(put_back ? 0 : given + 1);
    db_.change("DELETE FROM down_items WHERE device = :d AND n <= :n AND n < :o", device, has, own);
    if (has >= own) renumber_down(device, own, has);
  }
  if (!unagreed) return;
  db_.change("UPDATE down_items SET kept_back = 0 WHERE device = :d AND kept_back = 1", device);
  db_.change(
      "INSERT INTO down_agreed (device, generation) VALUES (:d, :g) "
      "ON CONFLICT (device) DO UPDATE SET generation = excluded.generation",
      device, *unagreed);
}

void SqlTx::insert_notice(const app::NoticeRow& notice) {
  db_.change("INSERT INTO notices (id, at, who, request, text) VALUES (:i, :t, :w, :r, :x)", uuid_text(notice.id),
             to_unix_ms(notice.at), notice.by, to_hex(notice.request), notice.text);
  for (const auto& device : notice.devices) {
    db_.change("INSERT INTO notice_devices (notice, device) VALUES (:n, :d)", uuid_text(notice.id), device);
  }
}

std::optional<app::NoticeRow> SqlTx::find_notice(const Uuid& id) {
  std::optional<app::NoticeRow> found;
  db_.each<std::int64_t, std::string, std::string, std::string>(
      "SELECT at, who, request, text FROM notices WHERE id = :i",
      [&](std::int64_t at, std::string by, const std::string& request, std::string text) {
        found = app::NoticeRow{id, from_unix_ms(at), std::move(by), sha256_of(request), std::move(text), {}};
      },
      uuid_text(id));
  if (!found) return found;
  db_.each<std::string>(
      "SELECT device FROM notice_devices WHERE notice = :i ORDER BY device",
      [&](std::string device) { found->devices.push_back(std::move(device)); }, uuid_text(id));
  return found;
}

// Gives the items from `from` on the numbers after `last`, in their order, and the next item the one behind them.
void SqlTx::renumber_down(std::string_view device, std::int64_t from, std::int64_t last) {
  std::vector<std::int64_t> numbers;
  db_.each<std::int64_t>(
      "SELECT n FROM down_items WHERE device = :d AND n >= :f ORDER BY n DESC",
      [&](std::int64_t n) { numbers.push_back(n); }, device, from);
  auto next = last + static_cast<std::int64_t>(numbers.size());
  state().set_counter(down_counter(device), next);
  // From the last on, so that no number is there twice meanwhile.
  for (const auto n : numbers) {
    db_.change("UPDATE down_items SET n = :w WHERE device = :d AND n = :n", next, device, n);
    --next;
  }
}

}  // namespace gridward::storage
