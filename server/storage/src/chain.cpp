#include "chain.hpp"

#include <gridward/platform/crypto.hpp>

namespace gridward::storage {
namespace {

Sha256 commitment(const domain::CaseEvent& event, domain::Personal field, const EventSecrets& secrets) {
  const auto& salt = secrets.salts[domain::index_of(field)];
  if (!salt) throw std::runtime_error("the salt of \"" + std::string(domain::to_string(field)) + "\" is missing");
  return platform::sha256(as_bytes(domain::commitment_text(event, field, *salt)));
}

}  // namespace

Sha256 chain_start(const Uuid& case_id) {
  const std::string_view word = "gridward/1/case";
  Bytes bytes(word.begin(), word.end());
  bytes.insert(bytes.end(), case_id.bytes.begin(), case_id.bytes.end());
  return platform::sha256(bytes);
}

Sha256 chain_next(const Sha256& before, const domain::CaseEvent& event, const EventSecrets& secrets) {
  auto personal = secrets.erased;
  for (const auto field : domain::kPersonal) {
    if (domain::holds(event, field)) personal[domain::index_of(field)] = commitment(event, field, secrets);
  }
  const auto text = domain::canonical_text(event, personal);
  Bytes bytes;
  bytes.reserve(before.size() + text.size());
  bytes.insert(bytes.end(), before.begin(), before.end());
  bytes.insert(bytes.end(), text.begin(), text.end());
  return platform::sha256(bytes);
}

EventSecrets draw_salts(const domain::CaseEvent& event) {
  EventSecrets secrets;
  std::array<std::uint8_t, domain::kPersonal.size() * sizeof(domain::Salt)> random{};
  platform::random_bytes(random);
  for (const auto field : domain::kPersonal) {
    const auto i = domain::index_of(field);
    if (domain::holds(event, field)) {
      secrets.salts[i] =
          fixed_of<sizeof(domain::Salt)>(ByteView(random).subspan(i * sizeof(domain::Salt), sizeof(domain::Salt)));
    }
  }
  return secrets;
}

void erase(domain::CaseEvent& event, EventSecrets& secrets, const domain::PersonalSet& fields) {
  for (const auto field : domain::kPersonal) {
    const auto i = domain::index_of(field);
    if (!fields[i] || !domain::holds(event, field)) continue;
    secrets.erased[i] = commitment(event, field, secrets);
    secrets.salts[i].reset();
  }
  event = domain::erased(std::move(event), fields);
}

void each_event(Connection& connection, const Uuid& case_id,
                const std::function<void(app::StoredEvent, const EventSecrets&)>& f) {
  connection.each<std::int64_t, std::string, std::int64_t, std::int64_t, std::string, std::string>(
      "SELECT n, type, at, recorded, data, hash FROM case_events WHERE case_id = :i ORDER BY n",
      [&](std::int64_t n, const std::string& type, std::int64_t at, std::int64_t recorded, const std::string& data,
          const std::string& hash) {
        app::StoredEvent event;
        EventSecrets secrets;
        event.n = static_cast<std::uint64_t>(n);
        event.event.type = action_of(type);
        event.event.at = from_unix_ms(at);
        event.event.recorded = from_unix_ms(recorded);
        read_event_text(data, event.event, secrets);
        event.hash = sha256_of(hash);
        f(std::move(event), secrets);
      },
      uuid_text(case_id));
}

}  // namespace gridward::storage
