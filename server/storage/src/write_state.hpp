// What the writer remembers between units, so that a record costs few statements. Rows that change with every record
// (how far a stream reaches, when a device was seen) are written once a batch, in the transaction of the batch.
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

class WriteState {
 public:
  const StreamState* find_stream(const std::string& key) const;
  // changed: its row is behind.
  void set_stream(const std::string& key, const StreamState& stream, bool changed);
  const Touch* find_touch(const std::string& device) const;
  void touch(const std::string& device, const Touch& touch);
  const std::string* last_device(const std::string& login) const;
  void set_last_device(const std::string& login, const std::string& device);

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
    Map<Touch> touches;
    Map<std::string> last_devices;
  };
  template <class T>
  static const T* find(const Map<T>& unit, const Map<T>& batch, const std::string& key);
  template <class T>
  static void merge(Map<T>& unit, Map<T>& batch, std::vector<std::string>& changed);

  Layer unit_;
  Layer batch_;
  std::vector<std::string> changed_streams_;
  std::vector<std::string> changed_touches_;
  std::vector<std::string> changed_last_devices_;
};

}  // namespace gridward::storage
