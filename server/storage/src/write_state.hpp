// What the writer remembers between units, so that a record costs few statements. Rows that change with every record
// (how far a stream reaches, when a device was seen, counters) are written once a batch, in the batch's transaction.
#pragma once

#include <cstdint>
#include <gridward/app/store.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "connection.hpp"

namespace gridward::storage {

struct StreamState {
  std::int64_t stream = 0;
  std::uint64_t contiguous = 0;
  std::uint64_t newest = 0;
};

struct Touch {
  UnixMs seen{};
  std::optional<StatusBody> status;
};

struct LastDevice {
  std::string device;
  UnixMs at{};
};

class WriteState {
 public:
  const StreamState* find_stream(const std::string& key) const;
  // changed: its row is behind.
  void set_stream(const std::string& key, const StreamState& stream, bool changed);
  // Counters by name ("case/<town>/<day>", "down/<device>"); nothing: not read yet.
  const std::int64_t* find_counter(const std::string& name) const;
  void set_counter(const std::string& name, std::int64_t n);
  const Touch* find_touch(const std::string& device) const;
  void touch(const std::string& device, const Touch& touch);
  const LastDevice* last_device(const std::string& login) const;
  void set_last_device(const std::string& login, const LastDevice& last, bool changed);

  // The next number of a table whose rows the writer numbers itself: INSERT … RETURNING would cost SQLite a temporary
  // table each time. A number that a rollback took back is left out.
  std::int64_t next_record(Connection& connection);
  std::int64_t next_media(Connection& connection);

  void keep_unit();    // the unit's changes are now the batch's
  void forget_unit();  // its savepoint was rolled back
  void flush(Connection& connection);
  void committed();
  void forget_all();  // the batch was rolled back

 private:
  template <class T>
  struct Entry {
    T value{};
    bool changed = false;
  };
  template <class T>
  using Map = std::unordered_map<std::string, Entry<T>>;
  struct Layer {
    Map<StreamState> streams;
    Map<std::int64_t> counters;
    Map<Touch> touches;
    Map<LastDevice> last_devices;
  };
  template <class T>
  static const T* find(const Map<T>& unit, const Map<T>& batch, const std::string& key);
  template <class T>
  static void merge(Map<T>& unit, Map<T>& batch, std::vector<std::string>& changed);

  Layer unit_;
  Layer batch_;
  std::vector<std::string> changed_streams_;
  std::vector<std::string> changed_counters_;
  std::vector<std::string> changed_touches_;
  std::vector<std::string> changed_last_devices_;
  std::optional<std::int64_t> last_record_;
  std::optional<std::int64_t> last_media_;
};

}  // namespace gridward::storage
