#pragma once

#include <gridward/domain/access.hpp>

namespace gridward::app {

// Who sees handhelds and members under them.
inline bool sees_people(domain::Role role) {
  using domain::Role;
  return role == Role::town_operator || role == Role::leader || role == Role::system_admin;
}

// Who tells handhelds something.
inline bool sends_notices(domain::Role role) {
  using domain::Role;
  return role == Role::town_operator || role == Role::leader;
}

}  // namespace gridward::app
