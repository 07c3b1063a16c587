#include "codec.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace gridward::storage {
namespace {

using Json = nlohmann::json;

// Writes JSON straight into a text: the write path makes two of these a report, and a tree of nodes for each would cost
// more than the row. Empty texts, nil ids and absent values are left out.
class Writer {
 public:
  Writer() { out_ = '{'; }
  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    name(key);
    quoted(value);
  }
  void number(std::string_view key, std::int64_t value) {
    name(key);
    digits(value);
  }
  void time(std::string_view key, UnixMs at) { number(key, to_unix_ms(at)); }
  void time(std::string_view key, const std::optional<UnixMs>& at) {
    if (at) time(key, *at);
  }
  void id(std::string_view key, const Uuid& id) {
    if (!id.is_nil()) text(key, uuid_text(id));
  }
  void flag(std::string_view key, bool value) {
    name(key);
    out_ += value ? "true" : "false";
  }
  void flag(std::string_view key, const std::optional<bool>& value) {
    if (value) flag(key, *value);
  }
  template <class E>
  void outcome(std::string_view key, const std::optional<E>& value) {
    if (value) number(key, static_cast<std::int64_t>(*value));
  }
  void actor(std::string_view key, const domain::Actor& actor) {
    name(key);
    Writer inner;
    inner.text("login", actor.login);
    inner.text("name", actor.name);
    inner.text("role", domain::to_string(actor.role));
    inner.text("org", actor.org);
    inner.text("org_path", actor.org_path);
    out_ += inner.take();
  }
  void fix(std::string_view key, const std::optional<Fix>& fix) {
    if (!fix) return;
    name(key);
    out_ += fix_text(fix);
  }
  void raw(std::string_view key, std::string_view json) {
    name(key);
    out_ += json;
  }
  bool empty() const { return out_.size() == 1; }
  std::string take() {
    out_ += '}';
    return std::move(out_);
  }

  static void quote(std::string& out, std::string_view value) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    // It would be written, and never be read again.
    if (!valid_utf8(value)) throw std::invalid_argument("text that is not UTF-8");
    out += '"';
    for (const char c : value) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (byte < 0x20) {
        out += "\\u00";
        out += kDigits[byte >> 4];
        out += kDigits[byte & 15];
      } else {
        out += c;
      }
    }
    out += '"';
  }

 private:
  void name(std::string_view key) {
    if (out_.size() > 1) out_ += ',';
    out_ += '"';
    out_ += key;
    out_ += "\":";
  }
  void quoted(std::string_view value) { quote(out_, value); }
  void digits(std::int64_t value) {
    std::array<char, 24> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    out_.append(buffer.data(), end);
  }

  std::string out_;
};

Json parse(std::string_view text) {
  auto json = Json::parse(text, nullptr, false);
  if (!json.is_object()) unreadable("JSON object", text);
  return json;
}

// Absent keys are the empty value, as the writer leaves them out.
template <class T>
T get(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return T{};
  return found->get<T>();
}
std::optional<UnixMs> time_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  return from_unix_ms(found->get<std::int64_t>());
}
Uuid id_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? Uuid{} : uuid_of(found->get_ref<const std::string&>());
}
std::optional<bool> flag_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  return found->get<bool>();
}
template <class E>
std::optional<E> outcome_in(const Json& json, const char* key, E last) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  return enum_of(found->get<long long>(), last);
}
domain::Actor actor_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) unreadable("actor", json.dump());
  domain::Actor actor;
  actor.login = get<std::string>(*found, "login");
  actor.name = get<std::string>(*found, "name");
  actor.role = role_of(get<std::string>(*found, "role"));
  actor.org = get<std::string>(*found, "org");
  actor.org_path = get<std::string>(*found, "org_path");
  return actor;
}
Fix fix_in(const Json& json) {
  Fix fix;
  fix.point = {json.at("lat").get<std::int32_t>(), json.at("lon").get<std::int32_t>()};
  if (const auto found = json.find("accuracy"); found != json.end()) fix.accuracy_cm = found->get<std::uint32_t>();
  fix.source = enum_of(get<long long>(json, "source"), FixSource::manual);
  fix.datum = enum_of(get<long long>(json, "datum"), Datum::gcj02);
  fix.mock = get<bool>(json, "mock");
  fix.at = from_unix_ms(json.at("at").get<std::int64_t>());
  return fix;
}
std::optional<Fix> fix_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  return fix_in(*found);
}

// One place that turns a JSON library's complaint into this file's.
template <class F>
auto reading(std::string_view text, F&& f) {
  try {
    return f();
  } catch (const Json::exception& problem) {
    unreadable(problem.what(), text);
  }
}

void ring_text(std::string& out, const Ring& ring) {
  out += '[';
  for (std::size_t i = 0; i < ring.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(ring[i].lat_e7);
    out += ',';
    out += std::to_string(ring[i].lon_e7);
  }
  out += ']';
}
Ring ring_in(const Json& json) {
  if (!json.is_array() || json.size() % 2 != 0) unreadable("ring", json.dump());
  Ring ring;
  for (std::size_t i = 0; i < json.size(); i += 2) {
    ring.push_back({json[i].get<std::int32_t>(), json[i + 1].get<std::int32_t>()});
  }
  return ring;
}

}  // namespace

void unreadable(std::string_view what, std::string_view text) {
  throw std::runtime_error("unreadable column, not a " + std::string(what) + ": " + std::string(text.substr(0, 200)));
}

std::string uuid_text(const Uuid& id) { return to_hex(id.bytes); }

Uuid uuid_of(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != 16) unreadable("UUID", text);
  return Uuid{fixed_of<16>(*bytes)};
}

Sha256 sha256_of(std::string_view hex) {
  const auto hash = sha256_from_hex(hex);
  if (!hash) unreadable("SHA-256", hex);
  return *hash;
}

Bytes bytes_of(std::string_view base64) {
  auto bytes = from_base64(base64);
  if (!bytes) unreadable("base64 text", base64);
  return std::move(*bytes);
}

std::string fix_text(const std::optional<Fix>& fix) {
  if (!fix) return {};
  Writer out;
  out.number("lat", fix->point.lat_e7);
  out.number("lon", fix->point.lon_e7);
  if (fix->accuracy_cm) out.number("accuracy", *fix->accuracy_cm);
  if (fix->source != FixSource::gnss) out.number("source", static_cast<std::int64_t>(fix->source));
  if (fix->datum != Datum::wgs84) out.number("datum", static_cast<std::int64_t>(fix->datum));
  if (fix->mock) out.flag("mock", true);
  out.time("at", fix->at);
  return out.take();
}

std::optional<Fix> fix_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return reading(text, [&] { return fix_in(parse(text)); });
}

std::string status_text(const StatusBody& status) {
  Writer out;
  out.number("waiting_records", status.waiting_records);
  out.number("waiting_bytes", static_cast<std::int64_t>(status.waiting_bytes));
  out.number("oldest_age_s", static_cast<std::int64_t>(status.oldest_age_s));
  if (status.battery_percent) out.number("battery_percent", *status.battery_percent);
  out.text("version", status.version);
  return out.take();
}

StatusBody status_of(std::string_view text) {
  return reading(text, [&] {
    const auto json = parse(text);
    StatusBody status;
    status.waiting_records = get<std::uint32_t>(json, "waiting_records");
    status.waiting_bytes = get<std::uint64_t>(json, "waiting_bytes");
    status.oldest_age_s = get<std::uint64_t>(json, "oldest_age_s");
    if (json.contains("battery_percent")) status.battery_percent = json.at("battery_percent").get<std::uint8_t>();
    status.version = get<std::string>(json, "version");
    return status;
  });
}

std::string outline_text(const Polygon& outline) {
  std::string outer;
  ring_text(outer, outline.outer);
  std::string holes = "[";
  for (const auto& hole : outline.holes) {
    if (holes.size() > 1) holes += ',';
    ring_text(holes, hole);
  }
  holes += ']';
  Writer out;
  out.raw("outer", outer);
  out.raw("holes", holes);
  return out.take();
}

Polygon outline_of(std::string_view text) {
  return reading(text, [&] {
    const auto json = parse(text);
    Polygon outline;
    outline.outer = ring_in(json.at("outer"));
    for (const auto& hole : json.at("holes")) outline.holes.push_back(ring_in(hole));
    return outline;
  });
}

std::string checks_text(const std::vector<CheckItem>& checks) {
  std::string out = "[";
  for (const auto& check : checks) {
    if (out.size() > 1) out += ',';
    Writer item;
    item.text("item", check.item);
    item.flag("ok", check.ok);
    item.text("note", check.note);
    out += item.take();
  }
  out += ']';
  return out;
}

std::vector<CheckItem> checks_of(std::string_view text) {
  return reading(text, [&] {
    const auto json = Json::parse(text);
    std::vector<CheckItem> checks;
    for (const auto& item : json) {
      checks.push_back({get<std::string>(item, "item"), get<bool>(item, "ok"), get<std::string>(item, "note")});
    }
    return checks;
  });
}

std::string ranges_text(const std::vector<ByteRange>& ranges) {
  std::string out;
  for (const auto& range : ranges) {
    if (!out.empty()) out += ' ';
    out += std::to_string(range.offset);
    out += '+';
    out += std::to_string(range.length);
  }
  return out;
}

std::vector<ByteRange> ranges_of(std::string_view text) {
  std::vector<ByteRange> ranges;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    ByteRange range;
    const auto offset = std::from_chars(at, end, range.offset);
    if (offset.ec != std::errc{} || offset.ptr == end || *offset.ptr != '+') unreadable("list of ranges", text);
    const auto length = std::from_chars(offset.ptr + 1, end, range.length);
    if (length.ec != std::errc{}) unreadable("list of ranges", text);
    ranges.push_back(range);
    at = length.ptr;
    if (at == end) break;
    if (*at != ' ') unreadable("list of ranges", text);
    ++at;
  }
  return ranges;
}

std::string case_text(const domain::CaseRecord& record) {
  Writer out;
  out.actor("reporter", record.reporter);
  // The column cannot hold a NUL.
  if (record.text.find('\0') != std::string::npos) out.text("text", record.text);
  out.fix("place", record.place);
  out.text("handler", record.handler);
  out.number("round", record.round);
  out.time("captured_at", record.captured_at);
  out.time("reported_at", record.reported_at);
  out.time("clock_started_at", record.clock_started_at);
  out.time("due_at", record.due_at);
  out.time("handled_at", record.handled_at);
  out.time("closed_at", record.closed_at);
  out.flag("on_time", record.on_time);
  out.id("verify_task", record.verify_task);
  out.text("verifier", record.verifier);
  out.outcome("verify_outcome", record.verify_outcome);
  out.text("feedback", record.feedback);
  return out.take();
}

void read_case_text(std::string_view text, domain::CaseRecord& record) {
  reading(text, [&] {
    const auto json = parse(text);
    record.reporter = actor_in(json, "reporter");
    if (json.contains("text")) record.text = json.at("text").get<std::string>();
    record.place = fix_in(json, "place");
    record.handler = get<std::string>(json, "handler");
    record.round = get<std::uint32_t>(json, "round");
    record.captured_at = time_in(json, "captured_at").value_or(UnixMs{});
    record.reported_at = time_in(json, "reported_at").value_or(UnixMs{});
    record.clock_started_at = time_in(json, "clock_started_at");
    record.due_at = time_in(json, "due_at");
    record.handled_at = time_in(json, "handled_at");
    record.closed_at = time_in(json, "closed_at");
    record.on_time = flag_in(json, "on_time");
    record.verify_task = id_in(json, "verify_task");
    record.verifier = get<std::string>(json, "verifier");
    record.verify_outcome = outcome_in(json, "verify_outcome", TaskOutcome::cannot_check);
    record.feedback = get<std::string>(json, "feedback");
    return 0;
  });
}

std::string event_text(const domain::CaseEvent& event, const EventSecrets& secrets) {
  Writer out;
  out.actor("actor", event.actor);
  out.fix("place", event.place);
  out.text("note", event.note);
  out.text("category", event.category);
  out.text("grid", event.grid);
  out.text("town", event.town);
  out.text("unit", event.unit);
  out.text("reason", event.reason);
  out.id("task", event.task);
  out.text("assignee", event.assignee);
  out.outcome("outcome", event.outcome);
  out.time("due_at", event.due_at);
  if (event.due_provisional) out.flag("due_provisional", true);
  out.flag("on_time", event.on_time);
  out.text("rule", event.rule);
  if (!event.media.empty()) {
    std::string media = "[";
    for (const auto& one : event.media) {
      if (media.size() > 1) media += ',';
      Writer item;
      item.text("sha256", to_hex(one.sha256));
      item.number("role", static_cast<std::int64_t>(one.role));
      media += item.take();
    }
    media += ']';
    out.raw("media", media);
  }
  Writer salts;
  Writer erased;
  for (const auto field : domain::kPersonal) {
    const auto i = domain::index_of(field);
    if (secrets.salts[i]) salts.text(domain::to_string(field), to_base64(*secrets.salts[i]));
    if (secrets.erased[i]) erased.text(domain::to_string(field), to_hex(*secrets.erased[i]));
  }
  if (!salts.empty()) out.raw("salts", salts.take());
  if (!erased.empty()) out.raw("erased", erased.take());
  return out.take();
}

void read_event_text(std::string_view text, domain::CaseEvent& event, EventSecrets& secrets) {
  reading(text, [&] {
    const auto json = parse(text);
    event.actor = actor_in(json, "actor");
    event.place = fix_in(json, "place");
    event.note = get<std::string>(json, "note");
    event.category = get<std::string>(json, "category");
    event.grid = get<std::string>(json, "grid");
    event.town = get<std::string>(json, "town");
    event.unit = get<std::string>(json, "unit");
    event.reason = get<std::string>(json, "reason");
    event.task = id_in(json, "task");
    event.assignee = get<std::string>(json, "assignee");
    event.outcome = outcome_in(json, "outcome", TaskOutcome::cannot_check);
    event.due_at = time_in(json, "due_at");
    event.due_provisional = get<bool>(json, "due_provisional");
    event.on_time = flag_in(json, "on_time");
    event.rule = get<std::string>(json, "rule");
    event.media.clear();
    if (const auto media = json.find("media"); media != json.end()) {
      for (const auto& one : *media) {
        event.media.push_back({sha256_of(one.at("sha256").get_ref<const std::string&>()),
                               enum_of(get<long long>(one, "role"), MediaRole::scan)});
      }
    }
    secrets = {};
    event.erased.reset();
    const auto salts = json.find("salts");
    const auto erased = json.find("erased");
    for (const auto field : domain::kPersonal) {
      const auto i = domain::index_of(field);
      const std::string name(domain::to_string(field));
      if (salts != json.end() && salts->contains(name)) {
        secrets.salts[i] = fixed_of<16>(bytes_of(salts->at(name).get_ref<const std::string&>()));
      }
      if (erased != json.end() && erased->contains(name)) {
        secrets.erased[i] = sha256_of(erased->at(name).get_ref<const std::string&>());
        event.erased.set(i);
      }
    }
    return 0;
  });
}

domain::Role role_of(std::string_view text) {
  const auto role = domain::role_from_string(text);
  if (!role) unreadable("role", text);
  return *role;
}

domain::Action action_of(std::string_view text) {
  const auto action = domain::action_from_string(text);
  if (!action) unreadable("action", text);
  return *action;
}

}  // namespace gridward::storage
