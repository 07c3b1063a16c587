#include <gridward/domain/case.hpp>
