#include "steps.hpp"

namespace gridward::storage {

// A link named a record by its UUID, which two devices may share: now by its row. What a device has delivered is its
// own: until now any device that named a hash counted as its owner, and what was sealed keeps counting so.
Migration m0008_media_by_sender() {
  return {8,
          "media by record and sender",
          {
              R"(CREATE TABLE links_by_record (
                   link {id},
                   media BIGINT NOT NULL,
                   record BIGINT NOT NULL,
                   role INTEGER NOT NULL,
                   size BIGINT NOT NULL,
                   type {text} NOT NULL,
                   case_id {text},
                   UNIQUE (media, record)))",
              // Numbered anew in their order, for an identity of PostgreSQL does not follow numbers that are given.
              "INSERT INTO links_by_record (media, record, role, size, type, case_id) "
              "SELECT l.media, MIN(r.record), l.role, m.size, m.type, l.case_id FROM media_links l "
              "JOIN media m ON m.media = l.media JOIN records r ON r.id = l.record "
              "GROUP BY l.link, l.media, l.role, m.size, m.type, l.case_id ORDER BY l.link",
              // state: 0 open, 1 mismatched once, 2 delivered, 3 refused. have: "0+4096 8192+100".
              R"(CREATE TABLE media_uploads (
                   media BIGINT NOT NULL,
                   device {text} NOT NULL,
                   state INTEGER NOT NULL,
                   have {text} NOT NULL,
                   PRIMARY KEY (media, device)))",
              // Pieces of what is not sealed come again: their files are named otherwise now.
              "INSERT INTO media_uploads (media, device, state, have) SELECT DISTINCT m.media, s.device, 2, '' "
              "FROM media m JOIN links_by_record l ON l.media = m.media JOIN records r ON r.record = l.record "
              "JOIN streams s ON s.stream = r.stream WHERE m.status >= 2",
              "UPDATE media SET status = 0 WHERE status = 1",
              "DROP TABLE media_links",
              "ALTER TABLE links_by_record RENAME TO media_links",
              "CREATE INDEX media_links_case ON media_links (case_id) WHERE case_id IS NOT NULL",
              "ALTER TABLE media DROP COLUMN have",
          }};
}

}  // namespace gridward::storage
