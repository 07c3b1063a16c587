#include "instant.hpp"

#include <array>
#include <cstdint>

namespace gridward::main_program {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Takes what it reads from the front of the text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool literal(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // Exactly so many digits, at most `greatest`.
  bool number(std::size_t digits, int greatest, int& number) {
    if (text_.size() < digits) return false;
    number = 0;
    for (const char c : text_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      number = number * 10 + (c - '0');
    }
    text_.remove_prefix(digits);
    return number <= greatest;
  }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

struct Local {
  std::chrono::year_month_day day;
  hours hour{};
  minutes minute{};
  seconds second{};
  Millis millis{};
};

Local local_of(UnixMs at, minutes offset) {
  const auto local = at + offset;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::hh_mm_ss<Millis> time{local - day};
  return {std::chrono::year_month_day{day}, time.hours(), time.minutes(), time.seconds(), time.subseconds()};
}

std::string padded(std::int64_t number, std::size_t digits) {
  auto text = std::to_string(number);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

std::string date_text(const std::chrono::year_month_day& day) {
  return padded(static_cast<int>(day.year()), 4) + "-" + padded(static_cast<unsigned>(day.month()), 2) + "-" +
         padded(static_cast<unsigned>(day.day()), 2);
}

}  // namespace

std::optional<minutes> offset_from_string(std::string_view text) {
  if (text == "Z") return minutes{0};
  Reader reader(text);
  const bool west = reader.literal('-');
  if (!west && !reader.literal('+')) return std::nullopt;
  int hour = 0;
  int minute = 0;
  if (!reader.number(2, 14, hour) || !reader.literal(':') || !reader.number(2, 59, minute)) return std::nullopt;
  const auto size = hours{hour} + minutes{minute};
  if (!reader.rest().empty() || size > (west ? hours{12} : hours{14})) return std::nullopt;
  return west ? -size : size;
}

std::optional<UnixMs> instant_from_string(std::string_view text, minutes offset) {
  Reader reader(text);
  int y = 0, m = 0, d = 0, hour = 0, minute = 0, second = 0, millis = 0;
  if (!reader.number(4, 9999, y) || !reader.literal('-') || !reader.number(2, 12, m) || !reader.literal('-') ||
      !reader.number(2, 31, d) || !reader.literal('T') || !reader.number(2, 23, hour) || !reader.literal(':') ||
      !reader.number(2, 59, minute)) {
    return std::nullopt;
  }
  if (reader.literal(':')) {
    if (!reader.number(2, 59, second)) return std::nullopt;
    if (reader.literal('.') && !reader.number(3, 999, millis)) return std::nullopt;
  }
  if (!reader.rest().empty()) {
    const auto given = offset_from_string(reader.rest());
    if (!given) return std::nullopt;
    offset = *given;
  }
  const std::chrono::year_month_day day{std::chrono::year{y}, std::chrono::month{static_cast<unsigned>(m)},
                                        std::chrono::day{static_cast<unsigned>(d)}};
  if (!day.ok()) return std::nullopt;
  return UnixMs{std::chrono::sys_days{day}} + hours{hour} + minutes{minute} + seconds{second} + Millis{millis} - offset;
}

std::string to_clock_text(minutes of_day) {
  return padded(of_day.count() / 60, 2) + ":" + padded(of_day.count() % 60, 2);
}

std::string to_iso(UnixMs at, minutes offset) {
  const auto local = local_of(at, offset);
  auto text =
      date_text(local.day) + "T" + to_clock_text(local.hour + local.minute) + ":" + padded(local.second.count(), 2);
  if (local.millis != Millis{0}) text += "." + padded(local.millis.count(), 3);
  return text + (offset < minutes{0} ? "-" : "+") + to_clock_text(std::chrono::abs(offset));
}

std::string to_day_text(UnixMs at, minutes offset) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const auto local = local_of(at, offset);
  const std::chrono::weekday weekday{std::chrono::sys_days{local.day}};
  auto text =
      date_text(local.day) + " " + kDays.at(weekday.c_encoding()) + " " + to_clock_text(local.hour + local.minute);
  return local.second == seconds{0} ? text : text + ":" + padded(local.second.count(), 2);
}

}  // namespace gridward::main_program
