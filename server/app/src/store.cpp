#include <array>
#include <future>
#include <gridward/app/store.hpp>

namespace gridward::app {

bool may_be_mended(ErrorCode refusal) {
  switch (refusal) {
    case ErrorCode::unknown_kind:
    case ErrorCode::unsupported_version:
    case ErrorCode::unknown_actor:
    case ErrorCode::unknown_category:
      return true;
    default:
      return false;
  }
}

namespace {

constexpr std::array<std::pair<OrgKind, std::string_view>, 5> kKinds{{
    {OrgKind::district, "district"},
    {OrgKind::town, "town"},
    {OrgKind::village, "village"},
    {OrgKind::grid, "grid"},
    {OrgKind::unit, "unit"},
}};

}  // namespace

std::string_view to_string(OrgKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "unknown";
}

std::optional<OrgKind> org_kind_from_string(std::string_view text) {
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
  }
  return std::nullopt;
}

Result<void> Store::write(std::function<Result<void>(Tx&)> work) {
  // Owned by `done` alone: a writer that dies with the unit in its hands breaks the promise.
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto answer = promise->get_future();
  auto queued = submit(
      {std::move(work), [promise = std::move(promise)](const Result<void>& result) { promise->set_value(result); }});
  if (!queued) return queued;
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return fail(ErrorCode::unavailable, "store", "its writer is gone");
  }
}

}  // namespace gridward::app
