#include <algorithm>

#include "engine.hpp"

namespace gridward::domain {

std::vector<Offer> offers(const CaseRecord& state, const Actor& actor, std::string_view holder_path,
                          const Policy& policy, UnixMs now) {
  std::vector<Offer> out;
  const auto process = policy.processes.find(state.process);
  if (state.version == 0 || process == policy.processes.end()) return out;
  const engine::Scene scene{state, process->second, policy, actor, holder_path, now, nullptr};
  const auto* here = process->second.step(state.step);
  if (here == nullptr) return out;
  for (const auto& row : process->second.moves) {
    if (!engine::leads_from(row, *here)) continue;
    const bool seen =
        std::any_of(out.begin(), out.end(), [&](const Offer& offer) { return offer.action == row.action; });
    if (seen) continue;
    const auto found = engine::find_move(scene, row.action);
    if (!found) continue;
    const Move& move = **found;
    if (!engine::check_bound(scene, move)) continue;
    Offer offer;
    offer.action = move.action;
    offer.to = move.to == "@back" ? state.back : move.to.empty() ? state.step : move.to;
    offer.note = move.note;
    offer.required = move.required;
    for (const auto field : engine::needs_of(move.action)) {
      if (std::find(offer.required.begin(), offer.required.end(), field) == offer.required.end()) {
        offer.required.push_back(field);
      }
    }
    offer.optional = move.optional;
    offer.reasons = move.reasons;
    offer.article = move.article;
    if (const auto ok = engine::check_guards(scene, move); !ok) {
      offer.blocked = ok.error().detail;
    } else if (const auto fits = engine::check_state(scene, move); !fits) {
      offer.blocked = fits.error().detail;
    } else if (move.to == "@back" && state.back.empty()) {
      offer.blocked = "the case was not put aside";
    }
    out.push_back(std::move(offer));
  }
  return out;
}

}  // namespace gridward::domain
