// The unit of everything captured. What each field means and how it travels: docs/protocol.md.
#pragma once

#include <cstdint>
#include <gridward/shared/bytes.hpp>
#include <gridward/shared/geo.hpp>
#include <gridward/shared/ids.hpp>
#include <gridward/shared/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gridward {

enum class ClockSource : std::uint8_t { local = 0, server = 1, gnss = 2 };  // better is greater
enum class FixSource : std::uint8_t { gnss = 0, network = 1, manual = 2 };
enum class Datum : std::uint8_t { wgs84 = 0, gcj02 = 1 };  // what the client read; `point` is WGS-84 either way

struct ClockQuality {
  ClockSource source = ClockSource::local;
  std::uint32_t error_ms = 0;  // the client's own bound of what `at` is off; 0 means unknown
  std::int64_t offset_ms = 0;  // what was added to the wall clock to get `at`
  bool operator==(const ClockQuality&) const = default;
};

struct Fix {
  GeoPoint point;
  std::optional<std::uint32_t> accuracy_cm;  // 1 sigma as the receiver says; absent when it does not say
  FixSource source = FixSource::gnss;
  Datum datum = Datum::wgs84;
  bool mock = false;
  UnixMs at{};  // when the fix was taken
  bool operator==(const Fix&) const = default;
};

enum class MediaRole : std::uint8_t { scene = 0, before = 1, after = 2, selfie = 3, scan = 4 };

struct MediaRef {
  Sha256 sha256{};
  std::uint64_t size = 0;  // bytes
  std::string type;        // "image/jpeg", "image/png", "image/webp"
  MediaRole role = MediaRole::scene;
  std::optional<Sha256> original = std::nullopt;  // of the file that this one was made smaller of, on the device
  bool operator==(const MediaRef&) const = default;
};

struct ReportBody {
  std::string category;  // code of the matter list
  std::string text;
  bool operator==(const ReportBody&) const = default;
};

enum class SignAct : std::uint8_t { in = 0, out = 1 };
struct SignBody {
  SignAct act = SignAct::in;
  bool operator==(const SignBody&) const = default;
};

struct CheckItem {
  std::string item;
  bool ok = true;
  std::string note;
  bool operator==(const CheckItem&) const = default;
};
enum class PatrolAct : std::uint8_t { start = 0, stop = 1 };
struct PatrolBody {
  PatrolAct act = PatrolAct::start;
  Uuid patrol;                    // the same in start, stop and the tracks between
  std::string text;               // the log entry, with stop
  std::vector<CheckItem> checks;  // with stop
  bool operator==(const PatrolBody&) const = default;
};

struct TrackPoint {
  UnixMs at{};
  GeoPoint point;
  std::uint32_t accuracy_cm = 0;  // 0: unknown
  bool operator==(const TrackPoint&) const = default;
};
// Never straddles a sign-out: the device closes the batch first. Points in order of time.
struct TrackBody {
  Uuid patrol;  // nil: on duty, outside a patrol
  std::vector<TrackPoint> points;
  bool operator==(const TrackBody&) const = default;
};

enum class TaskOutcome : std::uint8_t { confirmed = 0, not_rectified = 1, cannot_check = 2 };
struct TaskResultBody {
  Uuid task;
  TaskOutcome outcome = TaskOutcome::confirmed;
  std::string text;
  bool operator==(const TaskResultBody&) const = default;
};

struct StatusBody {
  std::uint32_t waiting_records = 0;
  std::uint64_t waiting_bytes = 0;
  std::uint64_t oldest_age_s = 0;
  std::optional<std::uint8_t> battery_percent;
  std::string version;
  bool operator==(const StatusBody&) const = default;
};

using RecordBody = std::variant<ReportBody, SignBody, PatrolBody, TrackBody, TaskResultBody, StatusBody>;

// "report", "sign", "patrol", "track", "task_result", "status"
std::string_view kind_name(const RecordBody& body);

struct Record {
  Uuid id;                // UUIDv7, made on the device
  Uuid epoch;             // of the outbox: a wiped device has a new one
  std::string actor;      // login of the member who used the device
  std::uint64_t seq = 0;  // from 1, per device and epoch, without gaps
  UnixMs at{};            // of the capture, by the best clock that the device knew
  Millis mono{};          // monotonic clock at capture
  Uuid boot;              // boot id the monotonic clock belongs to
  ClockQuality clock;
  std::optional<Fix> fix;
  std::vector<MediaRef> media;
  RecordBody body;
  bool operator==(const Record&) const = default;
};

}  // namespace gridward
