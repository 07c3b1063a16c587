// A case's chain of hashes, made and gone through as docs/adr/0007-personal-data-in-the-chain.md says; for the tests.
#pragma once

#include <gridward/domain/case.hpp>
#include <gridward/platform/crypto.hpp>
#include <span>
#include <vector>

namespace gridward::domain::test {

struct Link {
  CaseEvent event;
  std::array<Salt, kPersonal.size()> salts{};
  Commitments personal;
  Sha256 hash{};
};

inline Sha256 link_hash(const Sha256& before, const CaseEvent& event, const Commitments& personal) {
  return platform::sha256(as_bytes(to_hex(before) + canonical_text(event, personal)));
}

inline Sha256 commitment(const CaseEvent& event, Personal field, const Salt& salt) {
  return platform::sha256(as_bytes(commitment_text(event, field, salt)));
}

inline std::vector<Link> chain_of(std::span<const CaseEvent> events, std::uint8_t salt) {
  std::vector<Link> links;
  Sha256 before{};
  for (const auto& event : events) {
    Link link{event, {}, {}, {}};
    for (const auto field : kPersonal) {
      link.salts[index_of(field)].fill(salt++);
      if (holds(event, field)) link.personal[index_of(field)] = commitment(event, field, link.salts[index_of(field)]);
    }
    before = link.hash = link_hash(before, event, link.personal);
    links.push_back(std::move(link));
  }
  return links;
}

// Every link follows from the one before it, and every value that is still there is the one committed to.
inline bool holds_together(std::span<const Link> links) {
  Sha256 before{};
  for (const auto& link : links) {
    for (const auto field : kPersonal) {
      const auto& known = link.personal[index_of(field)];
      if (link.event.erased[index_of(field)]) {
        if (!known) return false;
        continue;
      }
      if (holds(link.event, field) != known.has_value()) return false;
      if (known && *known != commitment(link.event, field, link.salts[index_of(field)])) return false;
    }
    if (link.hash != link_hash(before, link.event, link.personal)) return false;
    before = link.hash;
  }
  return true;
}

}  // namespace gridward::domain::test
