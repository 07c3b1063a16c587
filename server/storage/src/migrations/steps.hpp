#pragma once

#include <gridward/storage/migrations.hpp>

namespace gridward::storage {

Migration m0001_organisation();
Migration m0002_records();
Migration m0003_cases();
Migration m0004_media();
Migration m0005_down_and_duty();
Migration m0006_generation();
Migration m0007_down_again_and_quarantine();
Migration m0008_media_by_sender();
Migration m0009_salted_chain();
Migration m0010_handed_to_devices();
Migration m0011_notices_and_flags();
Migration m0012_clocks();
Migration m0013_likeness();
Migration m0014_processes();
Migration m0016_lists();

}  // namespace gridward::storage
