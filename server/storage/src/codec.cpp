#include "codec.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <variant>

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
  void texts(std::string_view key, std::span<const std::string> values) {
    if (values.empty()) return;
    name(key);
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_ += ',';
      quoted(values[i]);
    }
    out_ += ']';
  }
  void fields(std::string_view key, const domain::FieldMap& fields) {
    if (fields.empty()) return;
    name(key);
    out_ += fields_text(fields);
  }
  void rule(std::string_view key, const domain::ClockRule& rule) {
    if (rule == domain::ClockRule{}) return;
    Writer inner;
    inner.rule(rule);
    raw(key, inner.take());
  }
  void rule(const domain::ClockRule& rule) {
    text("key", rule.key);
    text("article", rule.article);
    text("unit", domain::to_string(rule.unit));
    number("amount", rule.amount);
  }
  // A list of objects, each written by f(Writer&, one); nothing when there are none.
  template <class List, class F>
  void list(std::string_view key, const List& values, F&& f) {
    if (values.empty()) return;
    name(key);
    out_ += '[';
    bool first = true;
    for (const auto& value : values) {
      if (!std::exchange(first, false)) out_ += ',';
      Writer inner;
      f(inner, value);
      out_ += inner.take();
    }
    out_ += ']';
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

void write_score(Writer& out, const domain::ScoreLine& score) {
  out.text("rule", score.rule);
  out.text("article", score.article);
  if (score.of_unit) out.flag("of_unit", true);
  out.text("whom", score.whom);
  out.number("points", score.points);
  if (score.causes.empty()) return;
  std::string causes = "[";
  for (const auto n : score.causes) {
    if (causes.size() > 1) causes += ',';
    causes += std::to_string(n);
  }
  causes += ']';
  out.raw("causes", causes);
}

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
// `get` of a number takes a fraction too.
std::int64_t whole(const Json& json) {
  if (!json.is_number_integer()) unreadable("whole number", json.dump());
  return json.get<std::int64_t>();
}
std::optional<UnixMs> time_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return std::nullopt;
  return from_unix_ms(whole(*found));
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

const Json* list_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return nullptr;
  if (!found->is_array()) unreadable(std::string("list of ") + key, json.dump());
  return &*found;
}
template <class T, class F>
std::vector<T> list_in(const Json& json, const char* key, F&& one) {
  std::vector<T> out;
  if (const auto* list = list_in(json, key)) {
    for (const auto& item : *list) out.push_back(one(item));
  }
  return out;
}
std::vector<std::string> texts_in(const Json& json, const char* key) {
  return list_in<std::string>(json, key, [](const Json& item) { return item.get<std::string>(); });
}

std::uint32_t count_of(const Json& json) {
  const auto number = whole(json);
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) unreadable("count", json.dump());
  return static_cast<std::uint32_t>(number);
}

domain::FieldValue field_value(const domain::FieldInfo& info, const Json& json) {
  switch (info.type) {
    case domain::FieldType::text:
    case domain::FieldType::code:
    case domain::FieldType::name:
    case domain::FieldType::id:
      return json.get<std::string>();
    case domain::FieldType::names:
      if (!json.is_array()) unreadable("list of names", json.dump());
      return json.get<std::vector<std::string>>();
    case domain::FieldType::flag:
      return json.get<bool>();
    case domain::FieldType::number:
      return whole(json);
    case domain::FieldType::time:
      return from_unix_ms(whole(json));
  }
  unreadable("field", info.name);
}
domain::FieldMap fields_in(const Json& json) {
  if (!json.is_object()) unreadable("object of fields", json.dump());
  domain::FieldMap fields;
  for (const auto& [name, value] : json.items()) {
    const auto field = domain::field_from_string(name);
    if (!field) unreadable("name of a field", name);
    fields.emplace(*field, field_value(domain::field_info(*field), value));
  }
  return fields;
}
domain::FieldMap fields_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? domain::FieldMap{} : fields_in(*found);
}
domain::ClockRule rule_in(const Json& json) {
  domain::ClockRule rule;
  rule.key = get<std::string>(json, "key");
  rule.article = get<std::string>(json, "article");
  const auto unit = get<std::string>(json, "unit");
  const auto known = domain::clock_unit_from_string(unit);
  if (!known) unreadable("unit of a clock", unit);
  rule.unit = *known;
  const auto amount = whole(json.at("amount"));
  if (amount < std::numeric_limits<int>::min() || amount > std::numeric_limits<int>::max()) {
    unreadable("amount of a clock", json.dump());
  }
  rule.amount = static_cast<int>(amount);
  return rule;
}
domain::ClockRule rule_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? domain::ClockRule{} : rule_in(*found);
}
domain::ScoreLine score_in(const Json& json) {
  domain::ScoreLine score;
  score.rule = get<std::string>(json, "rule");
  score.article = get<std::string>(json, "article");
  score.of_unit = get<bool>(json, "of_unit");
  score.whom = get<std::string>(json, "whom");
  score.points = whole(json.at("points"));
  score.causes = list_in<std::uint64_t>(json, "causes", [](const Json& n) {
    if (!n.is_number_unsigned()) unreadable("number of an event", n.dump());
    return n.get<std::uint64_t>();
  });
  return score;
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

std::string fields_text(const domain::FieldMap& fields) {
  Writer out;
  for (const auto& [field, value] : fields) {
    const auto& info = domain::field_info(field);
    struct Put {
      Writer& out;
      std::string_view name;
      void operator()(const std::string& text) const {
        std::string quoted;
        Writer::quote(quoted, text);
        out.raw(name, quoted);
      }
      void operator()(bool flag) const { out.flag(name, flag); }
      void operator()(std::int64_t number) const { out.number(name, number); }
      void operator()(UnixMs at) const { out.time(name, at); }
      void operator()(const std::vector<std::string>& names) const {
        if (names.empty()) out.raw(name, "[]");
        out.texts(name, names);
      }
    };
    std::visit(Put{out, info.name}, value);
  }
  return out.take();
}

domain::FieldMap fields_of(std::string_view text) {
  return reading(text, [&] { return fields_in(parse(text)); });
}

std::string case_text(const domain::CaseRecord& record) {
  Writer out;
  out.actor("reporter", record.reporter);
  // The column cannot hold a NUL.
  if (record.text.find('\0') != std::string::npos) out.text("text", record.text);
  out.fix("place", record.place);
  out.text("back", record.back);
  out.texts("assisting_units", record.assisting_units);
  out.texts("assisting_open", record.assisting_open);
  out.text("handler", record.handler);
  out.number("round", record.round);
  out.time("captured_at", record.captured_at);
  out.time("reported_at", record.reported_at);
  out.time("closed_at", record.closed_at);
  out.list("clocks", record.clocks, [](Writer& one, const domain::CaseClock& clock) {
    one.text("name", clock.name);
    one.number("round", clock.round);
    one.text("unit", clock.unit);
    one.rule("rule", clock.rule);
    one.time("started", clock.started);
    one.time("due", clock.due);
    if (clock.provisional) one.flag("provisional", true);
    one.list("pauses", clock.pauses, [](Writer& pause, const domain::Pause& p) {
      pause.time("from", p.from);
      pause.time("to", p.to);
    });
    one.time("ended", clock.ended);
    one.flag("kept", clock.kept);
    if (clock.warned) one.flag("warned", true);
    if (clock.overdue) one.flag("overdue", true);
    one.list("extended", clock.extended, [](Writer& rule, const domain::ClockRule& r) { rule.rule(r); });
  });
  out.list("requests", record.requests, [](Writer& one, const domain::Request& request) {
    one.text("what", request.what);
    one.text("by", request.by);
    one.text("confirmed_by", request.confirmed_by);
    one.fields("fields", request.fields);
  });
  out.texts("past_units", record.past_units);
  if (record.return_locked) out.flag("return_locked", true);
  out.id("verify_task", record.verify_task);
  out.text("verifier", record.verifier);
  out.outcome("verify_outcome", record.verify_outcome);
  out.text("feedback", record.feedback);
  out.fields("values", record.values);
  Writer counts;
  for (const auto& [action, n] : record.counts) counts.number(domain::to_string(action), n);
  if (!counts.empty()) out.raw("counts", counts.take());
  out.list("scores", record.scores, write_score);
  return out.take();
}

void read_case_text(std::string_view text, domain::CaseRecord& record) {
  reading(text, [&] {
    const auto json = parse(text);
    record.reporter = actor_in(json, "reporter");
    if (json.contains("text")) record.text = json.at("text").get<std::string>();
    record.place = fix_in(json, "place");
    record.back = get<std::string>(json, "back");
    record.assisting_units = texts_in(json, "assisting_units");
    record.assisting_open = texts_in(json, "assisting_open");
    record.handler = get<std::string>(json, "handler");
    record.round = count_of(json.at("round"));
    record.captured_at = time_in(json, "captured_at").value_or(UnixMs{});
    record.reported_at = time_in(json, "reported_at").value_or(UnixMs{});
    record.closed_at = time_in(json, "closed_at");
    record.clocks = list_in<domain::CaseClock>(json, "clocks", [](const Json& one) {
      domain::CaseClock clock;
      clock.name = get<std::string>(one, "name");
      clock.round = count_of(one.at("round"));
      clock.unit = get<std::string>(one, "unit");
      clock.rule = rule_in(one, "rule");
      clock.started = from_unix_ms(whole(one.at("started")));
      clock.due = time_in(one, "due");
      clock.provisional = get<bool>(one, "provisional");
      clock.pauses = list_in<domain::Pause>(one, "pauses", [](const Json& pause) {
        return domain::Pause{from_unix_ms(whole(pause.at("from"))), time_in(pause, "to")};
      });
      clock.ended = time_in(one, "ended");
      clock.kept = flag_in(one, "kept");
      clock.warned = get<bool>(one, "warned");
      clock.overdue = get<bool>(one, "overdue");
      clock.extended = list_in<domain::ClockRule>(one, "extended", [](const Json& rule) { return rule_in(rule); });
      return clock;
    });
    record.requests = list_in<domain::Request>(json, "requests", [](const Json& one) {
      return domain::Request{get<std::string>(one, "what"), get<std::string>(one, "by"),
                             get<std::string>(one, "confirmed_by"), fields_in(one, "fields")};
    });
    record.past_units = texts_in(json, "past_units");
    record.return_locked = get<bool>(json, "return_locked");
    record.verify_task = id_in(json, "verify_task");
    record.verifier = get<std::string>(json, "verifier");
    record.verify_outcome = outcome_in(json, "verify_outcome", TaskOutcome::cannot_check);
    record.feedback = get<std::string>(json, "feedback");
    record.values = fields_in(json, "values");
    record.counts.clear();
    if (const auto counts = json.find("counts"); counts != json.end()) {
      if (!counts->is_object()) unreadable("object of counts", counts->dump());
      for (const auto& [name, n] : counts->items()) record.counts.emplace(action_of(name), count_of(n));
    }
    record.scores = list_in<domain::ScoreLine>(json, "scores", score_in);
    return 0;
  });
}

std::string event_text(const domain::CaseEvent& event, const EventSecrets& secrets) {
  Writer out;
  out.actor("actor", event.actor);
  out.fix("place", event.place);
  out.text("note", event.note);
  out.fields("fields", event.fields);
  out.text("process", event.process);
  out.text("step", event.step);
  out.text("stage", event.stage);
  if (event.aside) out.flag("aside", true);
  if (event.ends) out.flag("ends", true);
  out.text("rule", event.rule);
  out.list("clocks", event.clocks, [](Writer& one, const domain::ClockChange& change) {
    one.text("clock", change.clock);
    one.text("op", domain::to_string(change.op));
    one.time("at", change.at);
    one.rule("rule", change.rule);
    one.text("unit", change.unit);
    one.time("due", change.due);
    if (change.provisional) one.flag("provisional", true);
    one.flag("kept", change.kept);
  });
  out.list("scores", event.scores, write_score);
  out.list("media", event.media, [](Writer& one, const domain::EvidenceRef& media) {
    one.text("sha256", to_hex(media.sha256));
    one.number("role", static_cast<std::int64_t>(media.role));
  });
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
    event.fields = fields_in(json, "fields");
    event.process = get<std::string>(json, "process");
    event.step = get<std::string>(json, "step");
    event.stage = get<std::string>(json, "stage");
    event.aside = get<bool>(json, "aside");
    event.ends = get<bool>(json, "ends");
    event.rule = get<std::string>(json, "rule");
    event.clocks = list_in<domain::ClockChange>(json, "clocks", [](const Json& one) {
      domain::ClockChange change;
      change.clock = get<std::string>(one, "clock");
      const auto op = get<std::string>(one, "op");
      const auto known = domain::clock_op_from_string(op);
      if (!known) unreadable("change of a clock", op);
      change.op = *known;
      change.at = from_unix_ms(whole(one.at("at")));
      change.rule = rule_in(one, "rule");
      change.unit = get<std::string>(one, "unit");
      change.due = time_in(one, "due");
      change.provisional = get<bool>(one, "provisional");
      change.kept = flag_in(one, "kept");
      return change;
    });
    event.scores = list_in<domain::ScoreLine>(json, "scores", score_in);
    event.media = list_in<domain::EvidenceRef>(json, "media", [](const Json& one) {
      return domain::EvidenceRef{sha256_of(one.at("sha256").get_ref<const std::string&>()),
                                 enum_of(get<long long>(one, "role"), MediaRole::scan)};
    });
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
