#include <gridward/app/services.hpp>

namespace gridward::app {
namespace {

Result<void> complete(const std::string& by, const std::string& reason) {
  if (by.empty()) return fail(ErrorCode::missing_field, "by");
  if (reason.empty()) return fail(ErrorCode::missing_field, "reason");
  return {};
}

}  // namespace

Result<void> Erasing::event(const Uuid& case_id, std::uint64_t n, const std::string& by, const std::string& reason) {
  if (auto ok = complete(by, reason); !ok) return ok;
  return services_.store.write([&](Tx& tx) -> Result<void> {
    const auto what = "case " + to_string(case_id) + ", event " + std::to_string(n);
    if (!tx.erase_event(case_id, n)) return fail(ErrorCode::not_found, "event", what);
    tx.note_erasure({services_.clock.now(), by, what, reason, 1});
    return {};
  });
}

Result<ErasedPerson> Erasing::person(std::string_view login, const std::string& by, const std::string& reason) {
  if (auto ok = complete(by, reason); !ok) return tl::unexpected(ok.error());
  ErasedPerson erased;
  const auto written = services_.store.write([&](Tx& tx) -> Result<void> {
    erased = tx.erase_person(login);
    if (!erased.known && erased.events == 0 && erased.records == 0 && erased.duty == 0) {
      return fail(ErrorCode::not_found, "login", std::string(login));
    }
    tx.note_erasure({services_.clock.now(), by, "a person", reason, erased.events});
    return {};
  });
  if (!written) return tl::unexpected(written.error());
  return erased;
}

}  // namespace gridward::app
