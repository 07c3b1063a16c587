#include <gridward/domain/calendar.hpp>
