#include <algorithm>
#include <gridward/domain/case.hpp>

namespace gridward::domain {
namespace {

// "<length>:<bytes>," a field, "-," for an absent one: no value can look like the border of another.
class Text {
 public:
  void add(std::string_view value) {
    out_ += std::to_string(value.size());
    out_ += ':';
    out_ += value;
    out_ += ',';
  }
  void add(const std::string& value) { add(std::string_view(value)); }
  void add(bool value) { add(std::string_view(value ? "1" : "0")); }
  template <class Number>
    requires(std::is_integral_v<Number> && !std::is_same_v<Number, bool>)
  void add(Number value) {
    add(std::string_view(std::to_string(value)));
  }
  void add(UnixMs at) { add(to_unix_ms(at)); }
  void absent() { out_ += "-,"; }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) {
      add(*value);
    } else {
      absent();
    }
  }
  void add(const Fix& fix) {
    add(fix.point.lat_e7);
    add(fix.point.lon_e7);
    add(fix.accuracy_cm);
    add(static_cast<int>(fix.source));
    add(static_cast<int>(fix.datum));
    add(fix.mock);
    add(fix.at);
  }
  void add(const FieldValue& value) {
    std::visit(
        [&](const auto& is) {
          using T = std::decay_t<decltype(is)>;
          if constexpr (std::is_same_v<T, std::vector<std::string>>) {
            add(is.size());
            for (const auto& name : is) add(name);
          } else {
            add(is);
          }
        },
        value);
  }
  // Those that are personal, or those that are not; the name tells the type.
  void add(const FieldMap& fields, bool personal) {
    const auto counts = [&](const auto& entry) { return field_info(entry.first).personal == personal; };
    add(std::count_if(fields.begin(), fields.end(), counts));
    for (const auto& entry : fields) {
      if (!counts(entry)) continue;
      add(to_string(entry.first));
      add(entry.second);
    }
  }
  void add(const ClockRule& rule) {
    add(rule.key);
    add(rule.article);
    add(to_string(rule.unit));
    add(rule.amount);
  }
  void add(const ClockChange& change) {
    add(change.clock);
    add(to_string(change.op));
    add(change.at);
    add(change.rule);
    add(change.unit);
    add(change.due);
    add(change.provisional);
    add(change.kept);
  }
  // A member's login is personal; a unit's code is not.
  void add(const ScoreLine& line) {
    add(line.rule);
    add(line.article);
    add(line.of_unit);
    if (line.of_unit) {
      add(line.whom);
    } else {
      absent();
    }
    add(line.points);
    add(line.causes.size());
    for (const auto cause : line.causes) add(cause);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

bool names_a_member(const ScoreLine& line) { return !line.of_unit && !line.whom.empty(); }

}  // namespace

std::string_view to_string(Personal field) {
  switch (field) {
    case Personal::actor:
      return "actor";
    case Personal::note:
      return "note";
    case Personal::place:
      return "place";
    case Personal::fields:
      return "fields";
  }
  return "";
}

bool holds(const CaseEvent& event, Personal field) {
  switch (field) {
    case Personal::actor:
      return !event.actor.login.empty() || !event.actor.name.empty();
    case Personal::note:
      return !event.note.empty();
    case Personal::place:
      return event.place.has_value();
    case Personal::fields:
      return std::any_of(event.fields.begin(), event.fields.end(),
                         [](const auto& entry) { return field_info(entry.first).personal; }) ||
             std::any_of(event.scores.begin(), event.scores.end(), names_a_member);
  }
  return false;
}

CaseEvent erased(CaseEvent event, const PersonalSet& fields) {
  for (const auto field : kPersonal) {
    if (!fields[index_of(field)] || !holds(event, field)) continue;
    event.erased.set(index_of(field));
    switch (field) {
      case Personal::actor:
        event.actor.login.clear();
        event.actor.name.clear();
        break;
      case Personal::note:
        event.note.clear();
        break;
      case Personal::place:
        event.place.reset();
        break;
      case Personal::fields:
        std::erase_if(event.fields, [](const auto& entry) { return field_info(entry.first).personal; });
        for (auto& line : event.scores) {
          if (!line.of_unit) line.whom.clear();
        }
        break;
    }
  }
  return event;
}

std::string commitment_text(const CaseEvent& event, Personal field, const Salt& salt) {
  Text text;
  text.add(to_string(field));
  switch (field) {
    case Personal::actor:
      text.add(event.actor.login);
      text.add(event.actor.name);
      break;
    case Personal::note:
      text.add(event.note);
      break;
    case Personal::place:
      text.add(event.place);
      break;
    case Personal::fields:
      text.add(event.fields, true);
      for (const auto& line : event.scores) {
        if (!line.of_unit) text.add(line.whom);
      }
      break;
  }
  return std::string(salt.begin(), salt.end()) + text.take();
}

std::string canonical_text(const CaseEvent& event, const Commitments& personal) {
  Text text;
  const auto commitment = [&](Personal field) {
    const auto& hash = personal[index_of(field)];
    if (hash) {
      text.add(to_hex(*hash));
    } else {
      text.absent();
    }
  };
  text.add(std::string_view("gridward-case-event-3"));
  text.add(to_string(event.type));
  commitment(Personal::actor);
  text.add(to_string(event.actor.role));
  text.add(event.actor.org);
  text.add(event.actor.org_path);
  text.add(event.at);
  text.add(event.recorded);
  commitment(Personal::place);
  commitment(Personal::note);
  commitment(Personal::fields);
  text.add(event.fields, false);
  text.add(event.process);
  text.add(event.step);
  text.add(event.stage);
  text.add(event.aside);
  text.add(event.ends);
  text.add(event.rule);
  text.add(event.clocks.size());
  for (const auto& change : event.clocks) text.add(change);
  text.add(event.scores.size());
  for (const auto& line : event.scores) text.add(line);
  text.add(event.media.size());
  for (const auto& media : event.media) {
    text.add(to_hex(media.sha256));
    text.add(static_cast<int>(media.role));
  }
  return text.take();
}

}  // namespace gridward::domain
