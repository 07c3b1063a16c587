#include <algorithm>
#include <deque>
#include <gridward/http/live.hpp>
#include <nlohmann/json.hpp>

namespace gridward::http {

class LiveHub::Page : public EventStream {
 public:
  Page(domain::Actor actor, std::function<bool()> allowed, std::size_t limit)
      : actor_(std::move(actor)), allowed_(std::move(allowed)), limit_(limit) {}

  void offer(const app::LiveEvent& event) {
    if (!is_told(actor_, event)) return;
    const std::lock_guard lock(mutex_);
    const bool was_empty = queue_.empty() && !resync_;
    if (!resync_) {
      // Only the newest version of a thing matters to a page that fetches it.
      const auto same = std::ranges::find_if(
          queue_, [&](const app::LiveEvent& other) { return other.kind == event.kind && other.id == event.id; });
      if (same != queue_.end()) {
        same->version = std::max(same->version, event.version);
      } else if (queue_.size() < limit_) {
        queue_.push_back(event);
      } else {
        queue_.clear();
        resync_ = true;
      }
    }
    if (was_empty && wake_) wake_();
  }

  void on_ready(std::function<void()> wake) override {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
    if (wake_ && (resync_ || !queue_.empty())) wake_();
  }

  std::string take() override {
    std::deque<app::LiveEvent> events;
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(resync_, false)) return "event: resync\ndata: {}\n\n";
      events.swap(queue_);
    }
    std::string text;
    for (const auto& event : events) {
      const nlohmann::ordered_json data{{"kind", event.kind}, {"id", event.id}, {"version", event.version}};
      text += "event: change\ndata: " + data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n\n";
    }
    return text;
  }

  bool still_allowed() override { return !allowed_ || allowed_(); }

 private:
  const domain::Actor actor_;
  const std::function<bool()> allowed_;
  const std::size_t limit_;
  std::mutex mutex_;
  std::deque<app::LiveEvent> queue_;
  bool resync_ = false;
  std::function<void()> wake_;
};

LiveHub::LiveHub(std::size_t events_per_page) : events_per_page_(std::max<std::size_t>(events_per_page, 1)) {}
LiveHub::~LiveHub() = default;

void LiveHub::publish(const app::LiveEvent& event) {
  std::vector<std::shared_ptr<Page>> pages;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(pages_, [&](const std::weak_ptr<Page>& weak) {
      auto page = weak.lock();
      if (!page) return true;
      pages.push_back(std::move(page));
      return false;
    });
  }
  for (const auto& page : pages) page->offer(event);
}

std::shared_ptr<EventStream> LiveHub::open(domain::Actor actor, std::function<bool()> still_allowed) {
  auto page = std::make_shared<Page>(std::move(actor), std::move(still_allowed), events_per_page_);
  const std::lock_guard lock(mutex_);
  std::erase_if(pages_, [](const std::weak_ptr<Page>& weak) { return weak.expired(); });
  pages_.push_back(page);
  return page;
}

std::size_t LiveHub::pages() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(pages_, [](const std::weak_ptr<Page>& weak) { return !weak.expired(); }));
}

bool is_told(const domain::Actor& actor, const app::LiveEvent& event) {
  using domain::Role;
  switch (actor.role) {
    case Role::town_operator:
    case Role::grid_leader:
    case Role::intake_desk:
    case Role::coordination_desk:
    case Role::supervisor:
    case Role::leader:
      return domain::within(actor.org_path, event.org_path);
    case Role::grid_member:
    case Role::inspector:
    case Role::handling_unit:
    case Role::unit_leader: {
      if (event.kind != "case" && event.kind != "photo") return false;
      const std::string_view own = actor.org_path;
      const auto above = own.substr(0, std::min(own.rfind('/'), own.size()));
      return domain::within(above, event.org_path);
    }
    case Role::channel:
    case Role::system_admin:
    case Role::system:
      return false;
  }
  return false;
}

}  // namespace gridward::http
