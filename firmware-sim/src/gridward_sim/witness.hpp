// What the members were told, a line each, for an audit that does not trust the outboxes:
//   saved DEVICE EPOCH RECORD SEQ KIND [SHA256,…]     a capture returned: the record and its photos are on the disk
//   down DEVICE EPOCH N KIND                          an item came down and is stored
// Each is written at once and in one piece, so that a kill takes at most what nobody had been told. Any thread.
#pragma once

#include <gridward/device.h>

#include <filesystem>
#include <gridward/shared/error.hpp>
#include <memory>
#include <string>
#include <vector>

namespace gridward::sim {

class Witness {
 public:
  // Goes on behind what is there. storage_failed.
  static Result<std::unique_ptr<Witness>> open(const std::filesystem::path& file);
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // `photos`: the files as they were given to the library. One that cannot be read or a line that cannot be written
  // ends the process: a witness that keeps silent would make a loss look like none.
  void saved(const std::string& device, const std::string& epoch, const gw_saved& saved, const char* kind,
             const std::vector<std::string>& photos = {});
  void down(const std::string& device, const std::string& epoch, const gw_event& event);

 private:
  explicit Witness(int fd) : fd_(fd) {}
  void write(const std::string& line);

  int fd_;
};

}  // namespace gridward::sim
