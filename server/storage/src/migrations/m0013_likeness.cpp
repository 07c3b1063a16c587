#include "steps.hpp"

namespace gridward::storage {

Migration m0013_likeness() {
  return {13,
          "which photos are alike",
          {
              // A photo is found among all others by what it shares with them: bands of its hashes, words of its
              // corners. One row each, so that a search reads only those that share something.
              R"(CREATE TABLE photo_keys (
                   mark BIGINT NOT NULL,
                   media BIGINT NOT NULL,
                   PRIMARY KEY (mark, media)))",
              "CREATE INDEX photo_keys_media ON photo_keys (media)",
              // late: from before there were likenesses; after those that come in now.
              R"(CREATE TABLE likeness_jobs (
                   media BIGINT PRIMARY KEY,
                   late INTEGER NOT NULL,
                   attempts INTEGER NOT NULL))",
              "INSERT INTO likeness_jobs (media, late, attempts) SELECT media, 1, 0 FROM media WHERE status = 3",
              // kind: 0 reused, 1 other_place, 2 blurred, 3 same_place. other: none for a blurred one.
              R"(CREATE TABLE likeness_findings (
                   case_id {text} NOT NULL,
                   media BIGINT NOT NULL,
                   kind INTEGER NOT NULL,
                   score INTEGER NOT NULL,
                   other BIGINT,
                   other_case {text},
                   made_at BIGINT NOT NULL,
                   PRIMARY KEY (case_id, media, kind)))",
          }};
}

}  // namespace gridward::storage
