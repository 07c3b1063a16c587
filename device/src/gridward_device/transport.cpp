#include <algorithm>
#include <cstring>
#include <gridward/shared/limits.hpp>
#include <gridward_device/transport.hpp>

namespace gridward::device {

Result<std::unique_ptr<Transport>> Transport::open(const gw_transport& transport, const TransportConfig& config,
                                                   std::function<void()> wake) {
  std::unique_ptr<Transport> opened(new Transport(transport, std::move(wake)));
  gw_config given{};
  given.struct_size = sizeof given;
  given.broker = config.broker.c_str();
  given.ca_file = config.ca_file.c_str();
  given.device = config.device.c_str();
  given.town = config.town.c_str();
  given.user = config.user.c_str();
  given.password = config.password.c_str();
  given.keepalive_s = config.keepalive_s;
  const auto status = transport.open(transport.user, &given, &opened->link_, &opened->connection_);
  if (status != GW_OK) {
    opened->connection_ = nullptr;
    return fail(static_cast<ErrorCode>(status), "broker", config.broker + ": the transport does not open");
  }
  return opened;
}

Transport::Transport(const gw_transport& transport, std::function<void()> wake)
    : port_(transport), wake_(std::move(wake)) {
  link_.struct_size = sizeof link_;
  link_.user = this;
  link_.event = [](void* user, const gw_link_event* event) { static_cast<Transport*>(user)->told(*event); };
}

Transport::~Transport() {
  if (connection_ != nullptr) port_.close(connection_);
}

void Transport::connect() {
  {
    const std::lock_guard lock(mutex_);
    live_ = true;
  }
  port_.connect(connection_);
}

void Transport::disconnect() { port_.disconnect(connection_); }

void Transport::publish(TopicKind kind, const Bytes& payload, std::uint64_t token) {
  port_.publish(connection_, kind == TopicKind::media ? GW_TOPIC_MEDIA : GW_TOPIC_UP, payload.data(), payload.size(),
                token);
}

std::vector<TransportEvent> Transport::take_events() {
  const std::lock_guard lock(mutex_);
  // It may have been any: the agent begins anew.
  if (lost_) {
    TransportEvent end;
    end.text = "out of memory";
    events_.push_back(std::move(end));
    lost_ = false;
  }
  return std::exchange(events_, {});
}

void Transport::told(const gw_link_event& given) noexcept {
  try {
    if (take(given)) wake_();
  } catch (...) {
    // Heard at the agent's next turn, ten minutes from now at most.
    const std::lock_guard lock(mutex_);
    lost_ = true;
    live_ = false;
  }
}

bool Transport::take(const gw_link_event& given) {
  gw_link_event event{};
  std::memcpy(&event, &given, std::min(given.struct_size, sizeof event));
  TransportEvent taken;
  taken.kind = static_cast<gw_link_event_kind>(event.kind);
  if (event.text != nullptr) taken.text = event.text;
  if (taken.kind == GW_LINK_MESSAGE && event.data != nullptr) {
    if (event.size > limits::kDownMessageBytes) return false;  // nobody could read it; not even copied
    taken.payload.assign(event.data, event.data + event.size);
  }
  taken.token = event.token;
  taken.reason = event.reason;
  {
    const std::lock_guard lock(mutex_);
    if (taken.kind == GW_LINK_CONNECT_FAILED || taken.kind == GW_LINK_DISCONNECTED) {
      // Of an end that is told twice all the same, the agent hears once.
      if (!live_) return false;
      live_ = false;
    }
    // The end of the connection before may have come after connect(), and was taken for this one's.
    if (taken.kind == GW_LINK_CONNECTED) live_ = true;
    events_.push_back(std::move(taken));
  }
  return true;
}

}  // namespace gridward::device
