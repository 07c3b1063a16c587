#include <gridward/domain/duty.hpp>
