// Personal data out of the database: docs/adr/0007-personal-data-in-the-chain.md says what is erased and what stays.
#include <algorithm>
#include <array>
#include <set>

#include "chain.hpp"
#include "codec.hpp"
#include "tx.hpp"

namespace gridward::storage {

void SqlTx::erase_in_case(const Uuid& case_id,
                          const std::function<domain::PersonalSet(const app::StoredEvent&)>& fields_of,
                          std::size_t& erased_events) {
  struct Changed {
    std::uint64_t n;
    std::string actor;
    std::string data;
  };
  std::vector<Changed> changed;
  std::vector<domain::CaseEvent> events;
  each_event(db_, case_id, [&](app::StoredEvent stored, EventSecrets secrets) {
    const auto fields = fields_of(stored);
    const bool any = std::ranges::any_of(domain::kPersonal, [&](domain::Personal field) {
      return fields[domain::index_of(field)] && domain::holds(stored.event, field);
    });
    if (any) {
      erase(stored.event, secrets, fields);
      changed.push_back({stored.n, stored.event.actor.login, event_text(stored.event, secrets)});
    }
    events.push_back(std::move(stored.event));
  });
  const auto id = uuid_text(case_id);
  for (const auto& event : changed) {
    db_.change("UPDATE case_events SET actor = :a, data = :d WHERE case_id = :i AND n = :n", event.actor, event.data,
               id, event.n);
  }
  erased_events += changed.size();
  const auto before = find_case(case_id);
  if (!before) return;
  // Its clocks stay, and with them its alarm.
  const auto alarm =
      db_.value<std::optional<std::int64_t>>("SELECT next_alarm FROM cases WHERE id = :i", id).value_or(std::nullopt);
  update_case(domain::replay(case_id, before->number, events), before->version,
              alarm ? std::optional(from_unix_ms(*alarm)) : std::nullopt);
}

bool SqlTx::erase_event(const Uuid& case_id, std::uint64_t n) {
  db_.wipe_what_is_removed();
  const auto id = uuid_text(case_id);
  std::optional<std::int64_t> record;
  bool there = false;
  db_.each<std::optional<std::int64_t>>(
      "SELECT record FROM case_events WHERE case_id = :i AND n = :n",
      [&](std::optional<std::int64_t> row) {
        there = true;
        record = row;
      },
      id, n);
  if (!there) return false;
  std::size_t erased_events = 0;
  Uuid task;
  erase_in_case(
      case_id,
      [&](const app::StoredEvent& stored) {
        if (stored.n != n) return domain::PersonalSet();
        if (stored.event.type == domain::Action::request_verify) {
          task = uuid_from_string(domain::text_of(stored.event.fields, domain::Field::task)).value_or(Uuid{});
        }
        return domain::PersonalSet().set();
      },
      erased_events);
  // The same is in the bytes that the handheld sent; their hash stays, so that they are known when they come again.
  if (record) db_.change("UPDATE records SET actor = '', bytes = '', forgotten = 1 WHERE record = :r", *record);
  if (!task.is_nil()) db_.change("UPDATE verify_tasks SET assignee = '' WHERE id = :i", uuid_text(task));
  return true;
}

namespace {

// The fields that hold a login.
constexpr std::array kLogins{domain::Field::assignee, domain::Field::signed_by};

bool names(const domain::CaseEvent& event, std::string_view login) {
  return std::ranges::any_of(kLogins,
                             [&](domain::Field field) { return domain::text_of(event.fields, field) == login; }) ||
         std::ranges::any_of(event.scores,
                             [&](const domain::ScoreLine& line) { return !line.of_unit && line.whom == login; });
}

// Finds every event whose fields name this login, and a few that do not: a text that looks the same.
std::string named_pattern(std::string_view key, std::string_view login) {
  std::string pattern = "%\"" + std::string(key) + "\":\"";
  for (const char c : login) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "\"%";
}

}  // namespace

app::ErasedPerson SqlTx::erase_person(std::string_view login) {
  app::ErasedPerson erased_person;
  if (login.empty()) return erased_person;
  db_.wipe_what_is_removed();
  std::set<std::string> cases;
  db_.each<std::string>(
      "SELECT DISTINCT case_id FROM case_events WHERE actor = :a UNION "
      "SELECT case_id FROM verify_tasks WHERE assignee = :b",
      [&](std::string id) { cases.insert(std::move(id)); }, login, login);
  std::vector<std::string_view> keys{"whom"};  // of a line of 考核
  for (const auto field : kLogins) keys.push_back(domain::to_string(field));
  for (const auto key : keys) {
    db_.each<std::string>(
        "SELECT DISTINCT case_id FROM case_events WHERE data LIKE :p ESCAPE '!'",
        [&](std::string id) { cases.insert(std::move(id)); }, named_pattern(key, login));
  }
  for (const auto& id : cases) {
    erase_in_case(
        uuid_of(id),
        [&](const app::StoredEvent& stored) {
          domain::PersonalSet fields;
          fields[domain::index_of(domain::Personal::actor)] = stored.event.actor.login == login;
          fields[domain::index_of(domain::Personal::fields)] = names(stored.event, login);
          return fields;
        },
        erased_person.events);
  }
  // A track that waits for the records before it is theirs, too.
  erased_person.records =
      db_.change("UPDATE records SET actor = '', bytes = '', forgotten = 1, held = 0 WHERE actor = :l", login);
  for (const char* sql : {"DELETE FROM punches WHERE actor = :l", "DELETE FROM patrols WHERE actor = :l",
                          "DELETE FROM tracks WHERE actor = :l"}) {
    erased_person.duty += db_.change(sql, login);
  }
  // Refused bytes that name them: CBOR's "actor" and its value.
  std::string name = "eactor";
  const auto size = login.size();
  if (size < 24) {
    name += static_cast<char>(0x60 + size);
  } else if (size < 256) {
    name += {'\x78', static_cast<char>(size)};
  } else {
    name += {'\x79', static_cast<char>(size >> 8), static_cast<char>(size)};
  }
  name += login;
  std::vector<std::int64_t> refused;
  db_.each<std::int64_t, std::string>("SELECT quarantined, raw FROM quarantine WHERE raw <> ''",
                                      [&](std::int64_t row, const std::string& raw) {
                                        const auto bytes = bytes_of(raw);
                                        if (std::ranges::search(bytes, as_bytes(name)).begin() != bytes.end())
                                          refused.push_back(row);
                                      });
  for (const auto row : refused) db_.change("UPDATE quarantine SET raw = '', kept = 0 WHERE quarantined = :q", row);

  db_.change("UPDATE verify_tasks SET assignee = '' WHERE assignee = :l", login);
  db_.change("UPDATE devices SET holder = '' WHERE holder = :l", login);
  // `request` is a hash that the login is part of, with the rest of it in the same row: whoever has it can guess.
  db_.change("UPDATE notices SET who = '', request = :r WHERE who = :l", to_hex(Sha256{}), login);
  for (const char* sql : {"DELETE FROM last_devices WHERE login = :l", "DELETE FROM login_places WHERE login = :l",
                          "DELETE FROM sessions WHERE login = :l"}) {
    db_.change(sql, login);
  }
  erased_person.known = db_.change("DELETE FROM users WHERE login = :l", login) > 0;
  return erased_person;
}

void SqlTx::note_erasure(const app::ErasureNote& note) {
  db_.change("INSERT INTO erasures (at, who, what, reason, events) VALUES (:a, :b, :w, :r, :e)", to_unix_ms(note.at),
             note.by, note.what, note.reason, note.events);
}

std::vector<app::ErasureNote> SqlTx::erasures() {
  std::vector<app::ErasureNote> notes;
  db_.each<std::int64_t, std::string, std::string, std::string, std::int64_t>(
      "SELECT at, who, what, reason, events FROM erasures ORDER BY erasure DESC",
      [&](std::int64_t at, std::string by, std::string what, std::string reason, std::int64_t events) {
        notes.push_back(
            {from_unix_ms(at), std::move(by), std::move(what), std::move(reason), static_cast<std::uint64_t>(events)});
      });
  return notes;
}

}  // namespace gridward::storage
