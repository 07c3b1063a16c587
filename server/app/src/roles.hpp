#pragma once

#include <gridward/domain/access.hpp>

namespace gridward::app {

// Who has handhelds and members under them: sees them, and may tell them something.
inline bool sees_people(domain::Role role) {
  using domain::Role;
  return role == Role::town_operator || role == Role::leader || role == Role::system_admin;
}

}  // namespace gridward::app
