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
  void add(TaskOutcome outcome) { add(static_cast<int>(outcome)); }
  void add(const Fix& fix) {
    add(fix.point.lat_e7);
    add(fix.point.lon_e7);
    add(fix.accuracy_cm);
    add(static_cast<int>(fix.source));
    add(static_cast<int>(fix.datum));
    add(fix.mock);
    add(fix.at);
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace

std::string_view to_string(Personal field) {
  switch (field) {
    case Personal::actor:
      return "actor";
    case Personal::note:
      return "note";
    case Personal::place:
      return "place";
    case Personal::assignee:
      return "assignee";
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
    case Personal::assignee:
      return !event.assignee.empty();
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
      case Personal::assignee:
        event.assignee.clear();
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
      text.add(std::string_view(event.actor.login));
      text.add(std::string_view(event.actor.name));
      break;
    case Personal::note:
      text.add(std::string_view(event.note));
      break;
    case Personal::place:
      text.add(event.place);
      break;
    case Personal::assignee:
      text.add(std::string_view(event.assignee));
      break;
  }
  return std::string(salt.begin(), salt.end()) + text.take();
}

std::string canonical_text(const CaseEvent& event, const Commitments& personal) {
  Text text;
  const auto commitment = [&](Personal field) {
    const auto& hash = personal[index_of(field)];
    if (hash) {
      text.add(std::string_view(to_hex(*hash)));
    } else {
      text.absent();
    }
  };
  text.add(std::string_view("gridward-case-event-2"));
  text.add(to_string(event.type));
  commitment(Personal::actor);
  text.add(to_string(event.actor.role));
  text.add(std::string_view(event.actor.org));
  text.add(std::string_view(event.actor.org_path));
  text.add(event.at);
  text.add(event.recorded);
  commitment(Personal::place);
  commitment(Personal::note);
  text.add(std::string_view(event.category));
  text.add(std::string_view(event.grid));
  text.add(std::string_view(event.town));
  text.add(std::string_view(event.unit));
  text.add(std::string_view(event.reason));
  text.add(std::string_view(to_string(event.task)));
  commitment(Personal::assignee);
  text.add(event.outcome);
  text.add(event.due_at);
  text.add(event.due_provisional);
  text.add(event.on_time);
  text.add(std::string_view(event.rule));
  text.add(event.media.size());
  for (const auto& media : event.media) {
    text.add(std::string_view(to_hex(media.sha256)));
    text.add(static_cast<int>(media.role));
  }
  return text.take();
}

}  // namespace gridward::domain
