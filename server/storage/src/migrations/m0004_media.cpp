#include "steps.hpp"

namespace gridward::storage {

Migration m0004_media() {
  return {4,
          "media",
          {
              R"(CREATE TABLE media (
                   media {id},
                   sha256 {text} NOT NULL UNIQUE,
                   size BIGINT NOT NULL,
                   type {text} NOT NULL,
                   status INTEGER NOT NULL,
                   have {text} NOT NULL,
                   problem {text} NOT NULL))",
              R"(CREATE TABLE media_links (
                   link {id},
                   media BIGINT NOT NULL,
                   record {text} NOT NULL,
                   role INTEGER NOT NULL,
                   case_id {text},
                   UNIQUE (media, record)))",
              "CREATE INDEX media_links_case ON media_links (case_id) WHERE case_id IS NOT NULL",
              R"(CREATE TABLE photo_numbers (
                   media BIGINT PRIMARY KEY REFERENCES media (media),
                   width INTEGER NOT NULL,
                   height INTEGER NOT NULL,
                   orientation INTEGER NOT NULL,
                   truncated INTEGER NOT NULL,
                   sharpness DOUBLE PRECISION NOT NULL,
                   brightness DOUBLE PRECISION NOT NULL,
                   likeness BIGINT NOT NULL))",
              R"(CREATE TABLE photo_jobs (
                   job {id},
                   sha256 {text} NOT NULL UNIQUE,
                   attempts INTEGER NOT NULL))",
          }};
}

}  // namespace gridward::storage
