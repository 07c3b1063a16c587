#include <gps.h>
#include <poll.h>

#include <algorithm>
#include <cmath>
#include <gridward_device/ports.hpp>

namespace gridward::device {
namespace {

constexpr Millis kRetry{5'000};
constexpr Millis kRetryInWait{500};  // a capture waits a few seconds only
constexpr int kPollUs = 100'000;
// gpsd gives its errors at 95 %; the wire wants one sigma.
constexpr double kSigmas95 = 1.96;

class GpsdPosition final : public PositionSource {
 public:
  GpsdPosition(std::string host, int port, Millis max_age, std::function<Millis()> mono)
      : host_(std::move(host)), port_(std::to_string(port)), max_age_(max_age), mono_(std::move(mono)) {}
  ~GpsdPosition() override { close(); }
  GpsdPosition(const GpsdPosition&) = delete;
  GpsdPosition& operator=(const GpsdPosition&) = delete;

  std::optional<gw_fix> latest(Millis wait) override {
    const auto end = mono_() + wait;
    for (;;) {
      open(wait > Millis{0} ? kRetryInWait : kRetry);
      if (open_) drain();
      if (fresh() || mono_() >= end) break;
      // gpsd may start a moment after us, or again; and gps_waiting also fails on a signal. Our own clock decides.
      if (open_) {
        gps_waiting(data_.get(), kPollUs);
      } else {
        ::poll(nullptr, 0, kPollUs / 1'000);
      }
    }
    const auto result = fresh() ? last_ : std::nullopt;
    if (!active_) close();
    return result;
  }

  void active(bool on) override {
    active_ = on;
    if (!on) close();
  }

 private:
  bool fresh() const { return last_ && mono_() - Millis{last_->mono_ms} <= max_age_; }

  void open(Millis retry) {
    if (open_ || (tried_ && mono_() - *tried_ < retry)) return;
    tried_ = mono_();
    data_ = std::make_unique<gps_data_t>();  // large: only while a receiver is in use
    if (gps_open(host_.c_str(), port_.c_str(), data_.get()) != 0) {
      data_.reset();
      return;
    }
    open_ = true;
    if (gps_stream(data_.get(), WATCH_ENABLE | WATCH_JSON, nullptr) != 0) close();
  }

  void close() {
    if (!open_) return;
    gps_stream(data_.get(), WATCH_DISABLE, nullptr);
    gps_close(data_.get());
    data_.reset();
    open_ = false;
    // A deliberate end is no failure: the next question may open at once.
    tried_.reset();
  }

  void lost() {
    gps_close(data_.get());
    data_.reset();
    open_ = false;
    tried_ = mono_();
  }

  void drain() {
    while (open_ && gps_waiting(data_.get(), 0)) {
      data_->set = 0;
      if (gps_read(data_.get(), nullptr, 0) < 0) {
        lost();
        return;
      }
      take();
    }
  }

  void take() {
    if ((data_->set & MODE_SET) == 0) return;
    const gps_fix_t& fix = data_->fix;
    if (fix.mode < MODE_2D) {
      last_.reset();  // the receiver says that it has lost its fix
      return;
    }
    if ((data_->set & LATLON_SET) == 0 || !std::isfinite(fix.latitude) || !std::isfinite(fix.longitude)) return;
    const auto point = geo_point(fix.latitude, fix.longitude);
    gw_fix found{};
    found.struct_size = sizeof found;
    found.lat_e7 = point.lat_e7;
    found.lon_e7 = point.lon_e7;
    double error_m = fix.eph;
    if (!std::isfinite(error_m)) {
      error_m = std::isfinite(fix.epx) && std::isfinite(fix.epy) ? std::max(fix.epx, fix.epy) : NAN;
    }
    if (std::isfinite(error_m) && error_m >= 0) {
      found.accuracy_cm = static_cast<std::uint32_t>(std::clamp(error_m * 100 / kSigmas95, 1.0, 1e9));
    }
    if ((data_->set & TIME_SET) != 0) {
      found.at_ms = std::int64_t{fix.time.tv_sec} * 1000 + fix.time.tv_nsec / 1'000'000;
    }
    found.mono_ms = mono_().count();
    found.source = GW_FIX_GNSS;
    found.datum = GW_WGS84;
    found.mock = fix.status == STATUS_SIM ? 1 : 0;  // the receiver itself says: simulated
    last_ = found;
  }

  std::string host_;
  std::string port_;
  Millis max_age_;
  std::function<Millis()> mono_;
  std::unique_ptr<gps_data_t> data_;
  bool open_ = false;
  bool active_ = false;
  std::optional<Millis> tried_;
  std::optional<gw_fix> last_;
};

}  // namespace

std::unique_ptr<PositionSource> make_gpsd_position(const std::string& host, int port, Millis max_age,
                                                   std::function<Millis()> mono) {
  return std::make_unique<GpsdPosition>(host, port, max_age, std::move(mono));
}

}  // namespace gridward::device
