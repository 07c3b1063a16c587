#pragma once

#include <gridward/app/services.hpp>

namespace gridward::app {

// What was found of the photos of a case, into their views. Of another case nothing is shown to whom it does not
// concern: neither which it is nor its photo.
void add_flags(Tx& tx, const domain::Actor& actor, const Uuid& case_id, std::vector<MediaView>& media);

}  // namespace gridward::app
