// The sections of a profile, a file each: from a node into the domain's policy.
#pragma once

#include <gridward/domain/case.hpp>
#include <vector>

#include "node.hpp"

namespace gridward::profile {

// calendar.cpp
void read_office_hours(const Node& list, std::vector<domain::OfficeSpan>& hours);
void read_unit_hours(const Node& list, domain::Policy& policy);
void read_holidays(const Node& root, domain::WorkCalendar& calendar);

// limits.cpp
void read_limits(const Node& table, domain::Policy& policy);

// categories.cpp; after the limits, which the categories name
void read_categories(const Node& list, domain::Policy& policy, CategoriesItem& handhelds);

// codes.cpp
void read_codes(const Node& table, domain::Policy& policy);

// channels.cpp
void read_channels(const Node& table, domain::Policy& policy);
void read_clock_titles(const Node& table, domain::Policy& policy);

// processes.cpp
void read_processes(const Node& table, domain::Policy& policy);

// scores.cpp
void read_scores(const Node& list, domain::Policy& policy);

// device.cpp
void read_device(const Node& section, SettingsItem& settings);

}  // namespace gridward::profile
