#include "sentence.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace gridward::sim::nmea {
namespace {

constexpr std::size_t kMaxSentence = 512;
constexpr std::int64_t kDayMs = 86'400'000;

bool printable(char c) { return c >= 0x20 && c <= 0x7e; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

std::optional<int> hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

bool has_address(std::string_view body) {
  const auto comma = body.find(',');
  if (comma == std::string_view::npos || comma < 3) return false;
  const auto address = body.substr(0, comma);
  return std::all_of(address.begin(), address.end(), [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

// The digits of a decimal number without sign: "5541.1955". An exponent or a sign is no NMEA.
std::optional<double> read_decimal(std::string_view text) {
  if (text.empty() || text.size() > 24) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || !is_digit(text.front())) return std::nullopt;
  return value;
}

int two(std::string_view text) { return (text[0] - '0') * 10 + (text[1] - '0'); }

std::optional<std::chrono::sys_days> day_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

}  // namespace

std::optional<Sentence> Scanner::next() {
  while (at_ < log_.size()) {
    const auto begin = log_.find('$', at_);
    if (begin == std::string_view::npos) break;
    for (auto i = at_; i < begin; ++i) {
      if (!printable(log_[i])) line_ = i + 1;
    }
    // A '$' inside begins anew: garbage before a sentence, or a maker that writes two of them.
    std::size_t end = begin + 1;
    while (end < log_.size() && end - begin <= kMaxSentence && printable(log_[end]) && log_[end] != '$') ++end;
    at_ = end;
    const auto text = log_.substr(begin + 1, end - begin - 1);
    if (text.empty()) continue;
    // A comment may speak of a sentence.
    const bool comment = log_[line_] == '#';
    const auto star = text.rfind('*');
    const auto body = text.substr(0, star);
    bool good = !comment && text.size() < kMaxSentence && has_address(body);
    if (good && star != std::string_view::npos) {
      const auto sum = text.substr(star + 1);
      const auto high = sum.size() >= 2 ? hex_digit(sum[0]) : std::nullopt;
      const auto low = sum.size() >= 2 ? hex_digit(sum[1]) : std::nullopt;
      good = high && low && *high * 16 + *low == checksum(body) &&
             std::all_of(sum.begin() + 2, sum.end(), [](char c) { return c == ' '; });
    } else if (good) {
      // Without a checksum only a whole line is believed: a '$' in binary data may look like anything.
      const bool starts = begin == 0 || log_[begin - 1] == '\n' || log_[begin - 1] == '\r' || log_[begin - 1] == '$';
      good = starts && end < log_.size() && (log_[end] == '\n' || log_[end] == '\r');
    }
    if (good) return Sentence{body};
    ++dropped_;
  }
  at_ = log_.size();
  return std::nullopt;
}

std::vector<std::string_view> split(std::string_view body) {
  std::vector<std::string_view> fields;
  for (;;) {
    const auto comma = body.find(',');
    fields.push_back(body.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    body.remove_prefix(comma + 1);
  }
}

std::uint8_t checksum(std::string_view body) {
  std::uint8_t sum = 0;
  for (const char c : body) sum = static_cast<std::uint8_t>(sum ^ static_cast<std::uint8_t>(c));
  return sum;
}

void append_sentence(std::string& out, std::string_view body) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const unsigned sum = checksum(body);
  out += '$';
  out += body;
  out += '*';
  out += kHex[sum >> 4U];
  out += kHex[sum & 15U];
  out += "\r\n";
}

std::optional<Clock> read_clock(std::string_view text) {
  if (text.size() < 6 || !all_digits(text.substr(0, 6))) return std::nullopt;
  const int hour = two(text);
  const int minute = two(text.substr(2));
  const int second = two(text.substr(4));
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
  Clock clock{.ms = ((hour * 60LL + minute) * 60 + second) * 1000, .digits = 0};
  if (text.size() > 6) {
    const auto fraction = text.substr(7);
    if (text[6] != '.' || fraction.size() > 9 || (!fraction.empty() && !all_digits(fraction))) return std::nullopt;
    clock.digits = fraction.size();
    std::int64_t scale = 100;
    for (const char c : fraction.substr(0, 3)) {
      clock.ms += (c - '0') * scale;
      scale /= 10;
    }
  }
  return clock;
}

std::string write_clock(UnixMs at, std::size_t digits) {
  const auto ms = static_cast<int>(((to_unix_ms(at) % kDayMs) + kDayMs) % kDayMs);
  const int rest = ms % 1000;
  if ((digits == 0 && rest != 0) || (digits == 1 && rest % 100 != 0) || (digits == 2 && rest % 10 != 0)) digits = 3;
  std::array<char, 24> text{};
  const int second = ms / 1000;
  std::snprintf(text.data(), text.size(), "%02d%02d%02d.%03d000000", second / 3600, second / 60 % 60, second % 60,
                rest);
  return std::string(text.data(), digits == 0 ? 6 : 7 + std::min<std::size_t>(digits, 9));
}

std::optional<std::chrono::sys_days> read_ddmmyy(std::string_view text) {
  if (text.size() != 6 || !all_digits(text)) return std::nullopt;
  const int year = two(text.substr(4));
  return day_of(year >= 80 ? 1900 + year : 2000 + year, two(text.substr(2)), two(text));
}

std::optional<std::chrono::sys_days> read_date(std::string_view day, std::string_view month, std::string_view year) {
  if (day.size() != 2 || month.size() != 2 || year.size() != 4 || !all_digits(day) || !all_digits(month) ||
      !all_digits(year)) {
    return std::nullopt;
  }
  return day_of(two(year) * 100 + two(year.substr(2)), two(month), two(day));
}

std::string write_ddmmyy(UnixMs at) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(at)};
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%02u%02u%02d", static_cast<unsigned>(date.day()),
                static_cast<unsigned>(date.month()), static_cast<int>(date.year()) % 100);
  return text.data();
}

std::optional<double> read_angle(std::string_view text, std::string_view hemisphere, bool latitude) {
  const auto value = read_decimal(text);
  if (!value || hemisphere.size() != 1) return std::nullopt;
  const double degrees = std::floor(*value / 100);
  const double minutes = *value - degrees * 100;
  const double angle = degrees + minutes / 60;
  if (minutes >= 60 || angle > (latitude ? 90 : 180)) return std::nullopt;
  if (hemisphere[0] == (latitude ? 'N' : 'E')) return angle;
  if (hemisphere[0] == (latitude ? 'S' : 'W')) return -angle;
  return std::nullopt;
}

AngleText write_angle(double degrees, bool latitude, std::size_t decimals) {
  decimals = std::min<std::size_t>(decimals, 9);
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < decimals; ++i) scale *= 10;
  // Rounded as a whole, or 59.9999999 minutes would become 60.
  const std::int64_t units = std::llround(std::abs(degrees) * 60 * static_cast<double>(scale));
  const std::int64_t minutes = units / scale;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%0*lld%02lld.%0*lld", latitude ? 2 : 3, static_cast<long long>(minutes / 60),
                static_cast<long long>(minutes % 60), static_cast<int>(decimals),
                static_cast<long long>(units % scale));
  return {text.data(), latitude ? (degrees < 0 ? "S" : "N") : (degrees < 0 ? "W" : "E")};
}

std::size_t decimals_of(std::string_view number) {
  const auto point = number.find('.');
  return point == std::string_view::npos ? 0 : number.size() - point - 1;
}

}  // namespace gridward::sim::nmea
