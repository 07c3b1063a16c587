#pragma once

#include <cstddef>
#include <gridward/app/store.hpp>

#include "connection.hpp"

namespace gridward::storage {

// See StoreWithControl::verify_case_chains. Inside a transaction of this connection.
Result<std::size_t> verify_cases(Connection& connection, app::Tx& tx);

}  // namespace gridward::storage
