#include "stories.hpp"

#include <functional>
#include <stdexcept>

namespace gridward::bench {
namespace {

using domain::Action;
using domain::Actor;
using domain::Field;
using domain::FieldMap;
using domain::Role;
using Minutes = std::chrono::minutes;

const std::string kTask = "01890000-0000-7000-8000-00000000000a";
// Monday 2 March 2026, 09:00 in Tianjin.
constexpr UnixMs kMonday{Millis{1'772'413'200'000}};

class Teller {
 public:
  Teller(const domain::Policy& policy, const Place& place, std::string district, UnixMs at)
      : policy_(policy), place_(place), district_(std::move(district)), now_(at) {}

  void act(Action action, const Actor& actor, FieldMap fields = {}, std::string note = {},
           std::vector<domain::EvidenceRef> media = {}) {
    domain::Command command;
    command.action = action;
    command.actor = actor;
    command.at = now_;
    command.fields = std::move(fields);
    command.note = std::move(note);
    command.media = std::move(media);
    command.process = process;
    command.holder_path = process == "case" ? place_.path : place_.town_path;
    command.unit_path = place_.unit_path;
    if (action == Action::report && actor.role == Role::grid_member) {
      command.place = Fix{{391'234'567, 1'174'567'890}, 350, FixSource::gnss, Datum::wgs84, false, now_};
    }
    command.history = events;
    command.grid_member = place_.member;
    const auto made = domain::decide(events.empty() ? nullptr : &state, command, policy_, now_);
    if (!made) {
      throw std::runtime_error(process + ": " + std::string(to_string(action)) + " from " + state.step + ": " +
                               gridward::to_string(made.error()));
    }
    keep(*made);
  }
  void wait(Minutes minutes) { now_ += minutes; }
  // What the clocks say meanwhile; `late`: also that their due has passed.
  void clocks(bool late) {
    for (const auto& alarm : domain::alarms(state, policy_, now_)) {
      if (alarm.action == Action::overdue && !late) continue;
      domain::Command command;
      command.action = alarm.action;
      command.actor = {"system", "系统", Role::system, "", ""};
      command.at = alarm.at;
      command.fields[Field::clock] = alarm.clock;
      command.holder_path = place_.path;
      if (const auto made = domain::decide(&state, command, policy_, now_)) keep(*made);
    }
  }

  Actor member() const { return {place_.member, place_.member_name, Role::grid_member, place_.grid, place_.path}; }
  Actor desk() const { return {place_.desk, place_.desk_name, Role::town_operator, place_.town, place_.town_path}; }
  Actor unit() const {
    return {place_.unit_login, place_.unit_name, Role::handling_unit, place_.unit, place_.unit_path};
  }
  Actor intake() const { return {"intake", "受理台", Role::intake_desk, district_, district_}; }
  Actor leader() const { return {"head", "分管领导", Role::leader, district_, district_}; }
  static Actor machine() { return {"system", "系统", Role::system, "", ""}; }
  const Place& place() const { return place_; }
  UnixMs now() const { return now_; }

  std::string process;
  domain::CaseRecord state;
  std::vector<domain::CaseEvent> events;

 private:
  void keep(const std::vector<domain::CaseEvent>& made) {
    for (const auto& event : made) {
      state = domain::evolve(std::move(state), event);
      events.push_back(event);
    }
  }

  const domain::Policy& policy_;
  const Place& place_;
  std::string district_;
  UnixMs now_;
};

using Act = std::function<void(Teller&)>;

std::vector<domain::EvidenceRef> photo(MediaRole role) {
  Sha256 sha{};
  sha.fill(7);
  return {{sha, role}};
}

Act report_of_member() {
  return [](Teller& t) {
    t.process = "case";
    t.act(Action::report, t.member(),
          {{Field::town, t.place().town},
           {Field::grid, t.place().grid},
           {Field::category, std::string("road-damage")},
           {Field::channel, std::string("grid_member")}},
          "路面破损", photo(MediaRole::scene));
  };
}
Act report_of_hotline() {
  return [](Teller& t) {
    t.process = "work_order";
    t.act(Action::report, t.intake(),
          {{Field::town, t.place().town},
           {Field::category, std::string("noise")},
           {Field::channel, std::string("hotline_12345")},
           {Field::petitioner, std::string("王女士")},
           {Field::petitioner_phone, std::string("13800000000")}},
          "夜间噪声扰民");
  };
}
Act accept() {
  return [](Teller& t) { t.act(Action::accept, t.desk(), {}, "情况属实，予以受理"); };
}
Act accept_order() {
  return [](Teller& t) { t.act(Action::accept, t.intake(), {{Field::matter_kind, std::string("help")}}); };
}
Act transfer(bool assisted) {
  return [assisted](Teller& t) {
    FieldMap fields{{Field::unit, t.place().unit}};
    if (assisted) fields[Field::assisting_units] = std::vector<std::string>{t.place().assisting};
    t.act(Action::transfer, t.process == "case" ? t.desk() : t.intake(), std::move(fields), "请尽快处置并反馈");
  };
}
Act take() {
  return [](Teller& t) { t.act(Action::take, t.unit()); };
}
Act contact() {
  return [](Teller& t) { t.act(Action::contact, t.unit(), {{Field::contact, std::string("报告人，已约定时间")}}); };
}
Act arrive() {
  return [](Teller& t) { t.act(Action::arrive, t.unit()); };
}
Act handle() {
  return [](Teller& t) {
    t.act(Action::handle, t.unit(), {{Field::result_kind, std::string("handled")}}, "已到现场处置，设置警示并完成修复");
  };
}
Act feed_back() {
  return [](Teller& t) {
    FieldMap fields{{Field::result_kind, std::string("handled")}};
    if (t.process == "work_order") fields[Field::reply] = std::string("问题已处理，感谢反映");
    t.act(Action::feedback, t.unit(), std::move(fields), "处置完毕，现场已恢复");
  };
}
Act ask_check() {
  return [](Teller& t) {
    t.act(Action::request_verify, t.desk(), {{Field::task, kTask}, {Field::assignee, t.place().member}},
          "请到现场核查");
  };
}
Act check(const char* outcome) {
  return [outcome](Teller& t) {
    t.act(Action::verify, t.member(), {{Field::task, kTask}, {Field::outcome, std::string(outcome)}}, "已到现场核查",
          photo(MediaRole::after));
  };
}
Act rework() {
  return [](Teller& t) {
    t.act(Action::rework, t.desk(), {{Field::reason, std::string("below_standard")}}, "未达到标准，请重新处置");
  };
}
Act call_back() {
  return [](Teller& t) {
    t.act(Action::call_back, t.intake(),
          {{Field::satisfaction, std::string("satisfied")}, {Field::satisfaction_by, std::string("citizen")}});
  };
}
Act close() {
  return [](Teller& t) {
    t.act(Action::close, t.process == "case" ? t.desk() : t.intake(), {{Field::closing_basis, std::string("handled")}},
          "予以结案");
  };
}
Act assess() {
  return [](Teller& t) { t.act(Action::assess, Teller::machine()); };
}
Act archive() {
  return [](Teller& t) { t.act(Action::archive, t.process == "case" ? t.desk() : t.intake()); };
}
Act reject() {
  return [](Teller& t) {
    t.act(Action::reject, t.desk(), {{Field::reason, std::string("legal_procedure")}}, "请通过法定途径解决");
  };
}
Act reply() {
  return [](Teller& t) { t.act(Action::direct_reply, t.desk(), {{Field::reply, std::string("已电话答复")}}); };
}
std::vector<Act> coordination() {
  return {
      [](Teller& t) {
        t.process = "coordination";
        t.act(Action::report, t.intake(),
              {{Field::town, t.place().town},
               {Field::category, std::string("livelihood")},
               {Field::channel, std::string("whistle")}},
              "需多个单位协同处置");
      },
      [](Teller& t) { t.act(Action::draft_list, t.intake(), {}, "问题责任清单", photo(MediaRole::scan)); },
      [](Teller& t) { t.act(Action::approve_list, t.leader()); },
      [](Teller& t) { t.act(Action::hold_meeting, t.intake(), {{Field::participants, std::string("各责任单位")}}); },
      [](Teller& t) {
        t.act(Action::file_minutes, t.intake(), {{Field::minutes, std::string("会议纪要第3期")}}, {},
              photo(MediaRole::scan));
      },
      transfer(true),
      [](Teller& t) {
        t.act(Action::feedback, t.unit(), {{Field::result_kind, std::string("handled")}}, "已按纪要办结");
      },
      close(),
      archive()};
}

std::vector<Act> whole_case(bool assisted = false) {
  return {report_of_member(), accept(),    transfer(assisted), take(),  contact(), arrive(), handle(),
          feed_back(),        ask_check(), check("confirmed"), close(), assess(),  archive()};
}
std::vector<Act> whole_order() {
  return {report_of_hotline(), accept_order(), transfer(false), take(),   contact(), handle(),
          feed_back(),         call_back(),    close(),         assess(), archive()};
}
std::vector<Act> twice() {
  return {report_of_member(),     accept(), transfer(false), take(),   handle(), feed_back(), ask_check(),
          check("not_rectified"), rework(), transfer(false), take(),   handle(), feed_back(), ask_check(),
          check("confirmed"),     close(),  assess(),        archive()};
}

Story told(const Teller& teller, State state, double weight) {
  Story story;
  story.events = teller.events;
  story.state = state;
  story.from_grid = teller.process == "case";
  story.weight = weight;
  story.begin = story.events.front().recorded;
  story.end = teller.now();
  return story;
}

// Half an hour to half a day between acts.
Minutes pause(std::mt19937_64& random) { return Minutes(std::uniform_int_distribution<int>(20, 300)(random)); }

}  // namespace

std::vector<Story> write_stories(const domain::Policy& policy, const Place& place, const std::string& district) {
  std::vector<Story> stories;
  std::mt19937_64 random(1);
  const auto write = [&](const std::vector<Act>& acts, std::size_t count, State state, double weight,
                         int versions = 1) {
    for (int version = 0; version < versions; ++version) {
      Teller teller(policy, place, district, kMonday + Minutes(24 * 60 * version));
      for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) teller.wait(pause(random));
        teller.clocks(true);
        acts[i](teller);
      }
      if (state == State::overdue) {
        teller.wait(Minutes(15 * 24 * 60));
        teller.clocks(true);
        if (!teller.state.overdue()) throw std::runtime_error("a story did not become overdue: " + teller.state.step);
      }
      stories.push_back(told(teller, state, weight / versions));
    }
  };
  const auto whole = whole_case();
  const auto order = whole_order();
  const auto joint = coordination();
  write(whole, whole.size(), State::finished, 52, 4);
  write(whole_case(true), whole.size(), State::finished, 8, 2);
  write(order, order.size(), State::finished, 26, 4);
  write(twice(), twice().size(), State::finished, 6, 2);
  write({report_of_member(), reject()}, 2, State::finished, 4);
  write({report_of_member(), reply(), close(), assess()}, 4, State::finished, 2);
  write(joint, joint.size(), State::finished, 2);
  // Open, at each step with no clock that passes while the database waits to be used.
  for (const std::size_t count : {1, 2, 8, 9, 10}) write(whole, count, State::open, 1);
  for (const std::size_t count : {1, 2}) write(order, count, State::open, 1);
  for (const std::size_t count : {1, 2, 3, 4, 5}) write(joint, count, State::open, 0.1);
  // Open and past a due.
  for (const std::size_t count : {3, 4, 5, 6}) write(whole, count, State::overdue, 2);
  for (const std::size_t count : {3, 4, 5}) write(order, count, State::overdue, 1);
  return stories;
}

Story write_due_story(const domain::Policy& policy, const Place& place) {
  Teller teller(policy, place, place.town_path.substr(0, place.town_path.find('/')), kMonday);
  std::mt19937_64 random(2);
  const auto acts = whole_case();
  for (std::size_t i = 0; i < 7; ++i) {
    if (i > 0) teller.wait(pause(random));
    acts[i](teller);
  }
  teller.wait(Minutes(15 * 24 * 60));
  teller.clocks(false);
  if (domain::alarms(teller.state, policy, teller.now()).size() != 1) {
    throw std::runtime_error("not one clock is due");
  }
  return told(teller, State::due, 1);
}

std::vector<domain::CaseEvent> tell(const Story& story, const Telling& telling) {
  const auto& from = telling.from;
  const auto& to = telling.to;
  const std::string task = to_string(telling.task);
  const std::pair<const std::string*, const std::string*> swaps[] = {
      {&from.town, &to.town},     {&from.grid, &to.grid},           {&from.unit, &to.unit},
      {&from.member, &to.member}, {&from.assisting, &to.assisting}, {&kTask, &task}};
  const auto swap = [&](std::string& text) {
    for (const auto& [before, after] : swaps) {
      if (text == *before) {
        text = *after;
        return;
      }
    }
  };
  auto events = story.events;
  for (auto& event : events) {
    auto& actor = event.actor;
    if (actor.role == Role::grid_member) {
      actor = {to.member, to.member_name, actor.role, to.grid, to.path};
    } else if (actor.role == Role::town_operator) {
      actor = {to.desk, to.desk_name, actor.role, to.town, to.town_path};
    } else if (actor.role == Role::handling_unit) {
      actor = {to.unit_login, to.unit_name, actor.role, to.unit, to.unit_path};
    }
    event.at += telling.by;
    event.recorded += telling.by;
    if (event.place) {
      event.place->at += telling.by;
    }
    for (auto& [field, value] : event.fields) {
      if (auto* text = std::get_if<std::string>(&value)) swap(*text);
      if (auto* names = std::get_if<std::vector<std::string>>(&value)) {
        for (auto& name : *names) swap(name);
      }
    }
    for (auto& clock : event.clocks) {
      clock.at += telling.by;
      if (clock.due) *clock.due += telling.by;
      swap(clock.unit);
    }
    for (auto& line : event.scores) swap(line.whom);
  }
  events.front().note = telling.text;
  events.front().fields[Field::category] = telling.category;
  return events;
}

}  // namespace gridward::bench
