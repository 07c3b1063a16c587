#include <gridward/domain/access.hpp>
namespace gridward::domain {
}
