#include "attendance/storage/migrations.hpp"

namespace wajah::attendance::migration {

// No secret is here, only what tells whether one fits: keys and session tokens as a keyed hash, passwords as argon2id.
// `server_secret` names the secret the hash was made with; under another one it can never fit.
void accounts(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE api_key (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      hash BLOB NOT NULL,
      server_secret TEXT NOT NULL,
      role TEXT NOT NULL,
      scopes TEXT NOT NULL,
      site TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER,
      last_used_at INTEGER) WITHOUT ROWID;
    CREATE TABLE account (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT NOT NULL UNIQUE,
      password TEXT NOT NULL,
      role TEXT NOT NULL,
      site TEXT NOT NULL,
      active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
      created_at INTEGER NOT NULL,
      last_login_at INTEGER);
    CREATE TABLE session (
      hash BLOB PRIMARY KEY,
      account INTEGER NOT NULL REFERENCES account(id) ON DELETE CASCADE,
      csrf TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX session_account ON session(account);
    CREATE INDEX session_expires ON session(expires_at))");
}

}  // namespace wajah::attendance::migration
