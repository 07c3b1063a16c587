#pragma once

#include <gridward/app/ports.hpp>
#include <gridward/domain/access.hpp>
#include <gridward/http/message.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace gridward::http {

// Tells open pages what changed. Thread-safe; publish neither blocks on a page nor grows with a slow one.
class LiveHub : public app::LivePublisher {
 public:
  // events_per_page: beyond that many waiting events a page is told to fetch everything again (`resync`).
  explicit LiveHub(std::size_t events_per_page = 256);
  ~LiveHub() override;

  void publish(const app::LiveEvent& event) override;
  // Closed when its last owner lets go. `still_allowed` as in EventStream.
  std::shared_ptr<EventStream> open(domain::Actor actor, std::function<bool()> still_allowed);
  std::size_t pages() const;

 private:
  class Page;
  const std::size_t events_per_page_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Page>> pages_;
};

// Who is told of what: the event lies in the actor's subtree; members and units are told of cases and photos of the
// node above theirs too (a case that they may see need not lie in their own grid), and never of people or devices.
bool is_told(const domain::Actor& actor, const app::LiveEvent& event);

}  // namespace gridward::http
