// A prepared statement with its own parameters and results, bound once and run many times. Only for storage's .cpp
// files.
#pragma once

#include <soci/soci.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace gridward::storage {

// What a C++ value is kept as between here and the database.
template <class T>
struct Kept {
  using Type =
      std::conditional_t<std::is_floating_point_v<T>, double,
                         std::conditional_t<std::is_convertible_v<const T&, std::string_view>, std::string, long long>>;
};
template <class T>
struct Kept<std::optional<T>> : Kept<T> {};
template <class T>
using KeptType = typename Kept<std::remove_cvref_t<T>>::Type;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct Slot {
  T value{};
  soci::indicator state = soci::i_ok;
};

inline void put(Slot<std::string>& slot, std::string_view value) {
  slot.value.assign(value);
  slot.state = soci::i_ok;
  // A NUL would end the text unseen on PostgreSQL.
  if (value.find('\0') == std::string_view::npos) return;
  std::string clean;
  for (const char c : value) {
    if (c == '\0') {
      clean += "\xEF\xBF\xBD";
    } else {
      clean += c;
    }
  }
  slot.value = std::move(clean);
}
template <class T>
  requires std::is_integral_v<T>
void put(Slot<long long>& slot, T value) {
  slot.value = static_cast<long long>(value);
  slot.state = soci::i_ok;
}
inline void put(Slot<double>& slot, double value) {
  slot.value = value;
  slot.state = soci::i_ok;
}
template <class S, class T>
void put(Slot<S>& slot, const std::optional<T>& value) {
  if (value) {
    put(slot, *value);
  } else {
    slot.state = soci::i_null;
  }
}

template <class T>
T taken(Slot<KeptType<T>>& slot) {
  if constexpr (IsOptional<T>::value) {
    if (slot.state == soci::i_null) return std::nullopt;
  } else if (slot.state == soci::i_null) {
    throw std::logic_error("NULL where a value was expected");
  }
  return static_cast<T>(slot.value);
}

struct AnyStatement {
  virtual ~AnyStatement() = default;
};

template <class In, class Out>
struct Prepared;

template <class... In, class... Out>
struct Prepared<std::tuple<In...>, std::tuple<Out...>> final : AnyStatement {
  Prepared(soci::session& session, const std::string& sql) : statement(session) {
    statement.alloc();
    std::apply([this](auto&... slot) { (statement.exchange(soci::into(slot.value, slot.state)), ...); }, out);
    std::apply([this](auto&... slot) { (statement.exchange(soci::use(std::as_const(slot.value), slot.state)), ...); },
               in);
    statement.prepare(sql);
    statement.define_and_bind();
  }

  template <class... Args>
  bool run(const Args&... args) {
    put_all(std::index_sequence_for<Args...>{}, args...);
    return statement.execute(true);
  }

  std::tuple<Slot<In>...> in;
  std::tuple<Slot<Out>...> out;
  // The last member: it points into the slots.
  soci::statement statement;

 private:
  template <std::size_t... I, class... Args>
  void put_all(std::index_sequence<I...>, const Args&... args) {
    (put(std::get<I>(in), args), ...);
  }
};

}  // namespace gridward::storage
