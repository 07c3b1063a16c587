#include "write_state.hpp"

#include "codec.hpp"

namespace gridward::storage {
namespace {

// Of each kind; then everything is forgotten and read again when it is needed.
constexpr std::size_t kRemembered = 100'000;

}  // namespace

template <class T>
const T* WriteState::find(const Map<T>& unit, const Map<T>& batch, const std::string& key) {
  if (const auto found = unit.find(key); found != unit.end()) return &found->second.value;
  if (const auto found = batch.find(key); found != batch.end()) return &found->second.value;
  return nullptr;
}

template <class T>
void WriteState::merge(Map<T>& unit, Map<T>& batch, std::vector<std::string>& changed) {
  for (auto& [key, entry] : unit) {
    auto& kept = batch[key];
    if (entry.changed && !kept.changed) changed.push_back(key);
    kept.changed = kept.changed || entry.changed;
    kept.value = std::move(entry.value);
  }
  unit.clear();
}

const StreamState* WriteState::find_stream(const std::string& key) const {
  return find(unit_.streams, batch_.streams, key);
}
void WriteState::set_stream(const std::string& key, const StreamState& stream, bool changed) {
  auto& entry = unit_.streams[key];
  entry.value = stream;
  entry.changed = entry.changed || changed;
}

const std::int64_t* WriteState::find_counter(const std::string& name) const {
  return find(unit_.counters, batch_.counters, name);
}
void WriteState::set_counter(const std::string& name, std::int64_t n) { unit_.counters[name] = {n, true}; }

std::int64_t WriteState::next_record(Connection& connection) {
  if (!last_record_) last_record_ = connection.value<std::int64_t>("SELECT COALESCE(MAX(record), 0) FROM records");
  return ++*last_record_;
}
std::int64_t WriteState::next_media(Connection& connection) {
  if (!last_media_) last_media_ = connection.value<std::int64_t>("SELECT COALESCE(MAX(media), 0) FROM media");
  return ++*last_media_;
}

const Touch* WriteState::find_touch(const std::string& device) const {
  return find(unit_.touches, batch_.touches, device);
}
void WriteState::touch(const std::string& device, const Touch& touch) {
  Touch next = touch;
  // The status of an earlier touch stays: only its newer time is told this time.
  if (!next.status) {
    if (const auto* before = find_touch(device)) next.status = before->status;
  }
  unit_.touches[device] = {std::move(next), true};
}

const LastDevice* WriteState::last_device(const std::string& login) const {
  return find(unit_.last_devices, batch_.last_devices, login);
}
void WriteState::set_last_device(const std::string& login, const LastDevice& last, bool changed) {
  auto& entry = unit_.last_devices[login];
  entry.value = last;
  entry.changed = entry.changed || changed;
}

void WriteState::keep_unit() {
  merge(unit_.streams, batch_.streams, changed_streams_);
  merge(unit_.counters, batch_.counters, changed_counters_);
  merge(unit_.touches, batch_.touches, changed_touches_);
  merge(unit_.last_devices, batch_.last_devices, changed_last_devices_);
}

void WriteState::forget_unit() { unit_ = {}; }

void WriteState::flush(Connection& connection) {
  for (const auto& key : changed_streams_) {
    const auto& stream = batch_.streams.at(key).value;
    connection.change("UPDATE streams SET contiguous = :c, newest = :n WHERE stream = :s", stream.contiguous,
                      stream.newest, stream.stream);
  }
  for (const auto& name : changed_counters_) {
    connection.change("INSERT INTO counters (name, n) VALUES (:m, :n) ON CONFLICT (name) DO UPDATE SET n = excluded.n",
                      name, batch_.counters.at(name).value);
  }
  for (const auto& device : changed_touches_) {
    const auto& touch = batch_.touches.at(device).value;
    if (touch.status) {
      connection.change("UPDATE devices SET last_seen = :at, status = :s WHERE id = :d", to_unix_ms(touch.seen),
                        status_text(*touch.status), device);
    } else {
      connection.change("UPDATE devices SET last_seen = :at WHERE id = :d", to_unix_ms(touch.seen), device);
    }
  }
  for (const auto& login : changed_last_devices_) {
    const auto& last = batch_.last_devices.at(login).value;
    connection.change(
        "INSERT INTO last_devices (login, device, at) VALUES (:l, :d, :t) "
        "ON CONFLICT (login) DO UPDATE SET device = excluded.device, at = excluded.at",
        login, last.device, to_unix_ms(last.at));
  }
}

void WriteState::committed() {
  for (const auto& key : changed_streams_) batch_.streams.at(key).changed = false;
  for (const auto& name : changed_counters_) batch_.counters.at(name).changed = false;
  for (const auto& login : changed_last_devices_) batch_.last_devices.at(login).changed = false;
  changed_streams_.clear();
  changed_counters_.clear();
  changed_last_devices_.clear();
  // Devices are also changed elsewhere (an import in another process), so what was written is not remembered.
  changed_touches_.clear();
  batch_.touches.clear();
  if (batch_.streams.size() > kRemembered) batch_.streams.clear();
  if (batch_.counters.size() > kRemembered) batch_.counters.clear();
  if (batch_.last_devices.size() > kRemembered) batch_.last_devices.clear();
}

void WriteState::forget_all() {
  unit_ = {};
  batch_ = {};
  changed_streams_.clear();
  changed_counters_.clear();
  changed_touches_.clear();
  changed_last_devices_.clear();
  last_record_.reset();
  last_media_.reset();
}

}  // namespace gridward::storage
