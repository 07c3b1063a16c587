#pragma once

#include <gridward/domain/access.hpp>

namespace gridward::app {

// Works at a desk, or looks on: of a node of the tree, with everything below it.
inline bool at_desk(domain::Role role) {
  using domain::Role;
  switch (role) {
    case Role::grid_leader:
    case Role::town_operator:
    case Role::intake_desk:
    case Role::coordination_desk:
    case Role::supervisor:
    case Role::leader:
    case Role::system_admin:
      return true;
    case Role::grid_member:
    case Role::inspector:
    case Role::handling_unit:
    case Role::unit_leader:
    case Role::channel:
    case Role::system:
      return false;
  }
  return false;
}

inline bool of_unit(domain::Role role) {
  return role == domain::Role::handling_unit || role == domain::Role::unit_leader;
}

// Carries a handheld: reports, and checks what was done.
inline bool in_field(domain::Role role) { return role == domain::Role::grid_member || role == domain::Role::inspector; }

// Who sees handhelds and members under them.
inline bool sees_people(domain::Role role) {
  using domain::Role;
  return role == Role::town_operator || role == Role::grid_leader || role == Role::coordination_desk ||
         role == Role::supervisor || role == Role::leader || role == Role::system_admin;
}

// Who tells handhelds something.
inline bool sends_notices(domain::Role role) {
  using domain::Role;
  return role == Role::town_operator || role == Role::leader;
}

}  // namespace gridward::app
