#include "steps.hpp"

namespace gridward::storage {

// counters: "org_revision", "case/<town>/<day>" (the last case number given), "down/<device>" (the last down item's,
// also when every item was acknowledged and removed). scope is the path with a "/" behind it, so that a subtree is one
// range of it.
Migration m0001_organisation() {
  return {1,
          "organisation, people, devices",
          {
              R"(CREATE TABLE counters (
                   name {text} PRIMARY KEY,
                   n BIGINT NOT NULL))",
              R"(CREATE TABLE orgs (
                   code {text} PRIMARY KEY,
                   parent {text} NOT NULL,
                   scope {text} NOT NULL UNIQUE,
                   kind {text} NOT NULL,
                   name {text} NOT NULL,
                   outline {text}))",
              R"(CREATE TABLE users (
                   login {text} PRIMARY KEY,
                   name {text} NOT NULL,
                   role {text} NOT NULL,
                   org {text} NOT NULL,
                   password_hash {text} NOT NULL,
                   active INTEGER NOT NULL))",
              "CREATE INDEX users_org ON users (org)",
              R"(CREATE TABLE sessions (
                   token_hash {text} PRIMARY KEY,
                   login {text} NOT NULL,
                   created BIGINT NOT NULL,
                   expires BIGINT NOT NULL))",
              "CREATE INDEX sessions_expires ON sessions (expires)",
              R"(CREATE TABLE devices (
                   id {text} PRIMARY KEY,
                   town {text} NOT NULL,
                   holder {text} NOT NULL,
                   public_key {text} NOT NULL,
                   revoked INTEGER NOT NULL,
                   last_seen BIGINT,
                   status {text}))",
              "CREATE INDEX devices_town ON devices (town)",
              "CREATE INDEX devices_holder ON devices (holder) WHERE holder <> ''",
              R"(CREATE TABLE last_devices (
                   login {text} PRIMARY KEY,
                   device {text} NOT NULL))",
          }};
}

}  // namespace gridward::storage
