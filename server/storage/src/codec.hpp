// How values of the domain become the text of a column and come back. Reading throws std::runtime_error with what is
// wrong: a column that cannot be read was not written by this program.
#pragma once

#include <gridward/app/store.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gridward::storage {

std::string uuid_text(const Uuid& id);  // 32 hex digits
Uuid uuid_of(std::string_view text);
Sha256 sha256_of(std::string_view hex);
template <std::size_t N>
std::array<std::uint8_t, N> fixed_of(ByteView bytes);
Bytes bytes_of(std::string_view base64);
template <class E>
E enum_of(long long number, E last);

std::string fix_text(const std::optional<Fix>& fix);  // empty when there is none
std::optional<Fix> fix_of(std::string_view text);
std::string status_text(const StatusBody& status);
StatusBody status_of(std::string_view text);
std::string outline_text(const Polygon& outline);
Polygon outline_of(std::string_view text);
std::string checks_text(const std::vector<CheckItem>& checks);
std::vector<CheckItem> checks_of(std::string_view text);
std::string ranges_text(const std::vector<ByteRange>& ranges);  // "0+4096 8192+100"
std::vector<ByteRange> ranges_of(std::string_view text);

// By the table of domain/fields.hpp. Reading refuses a name that it does not have and a value of another type.
std::string fields_text(const domain::FieldMap& fields);
domain::FieldMap fields_of(std::string_view text);

// What has no column of its own.
std::string case_text(const domain::CaseRecord& record);
void read_case_text(std::string_view text, domain::CaseRecord& record);
// What opens the commitments of an event, by the number of the personal field: the salt beside a value, or what the
// commitment was where the value was erased.
struct EventSecrets {
  std::array<std::optional<domain::Salt>, domain::kPersonal.size()> salts;
  domain::Commitments erased;
};
std::string event_text(const domain::CaseEvent& event, const EventSecrets& secrets);
void read_event_text(std::string_view text, domain::CaseEvent& event, EventSecrets& secrets);

domain::Role role_of(std::string_view text);
domain::Action action_of(std::string_view text);

[[noreturn]] void unreadable(std::string_view what, std::string_view text);

template <std::size_t N>
std::array<std::uint8_t, N> fixed_of(ByteView bytes) {
  if (bytes.size() != N) unreadable("bytes of a fixed length", std::to_string(bytes.size()));
  std::array<std::uint8_t, N> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

template <class E>
E enum_of(long long number, E last) {
  if (number < 0 || number > static_cast<long long>(last))
    unreadable("number of an enumeration", std::to_string(number));
  return static_cast<E>(number);
}

}  // namespace gridward::storage
