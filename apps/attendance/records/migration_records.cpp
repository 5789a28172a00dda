#include "attendance/records/migration_records.hpp"

namespace wajah::attendance::migration {

// Dates are texts (2026-11-22), times of day minutes since midnight, instants microseconds since 1970 in UTC.
//
// `event` is written once: triggers refuse changes, save that a removed person's rows lose link and reason, which may
// name them, and that rows of a person who was merged into another follow. `corrects` refers to no row on purpose: old
// originals are pruned before what stands for them.
// `placement` follows person.team and person.site; their first values hold from the beginning.
void records(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE site (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      code TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      zone TEXT NOT NULL,
      day_start INTEGER,
      duplicate_window INTEGER,
      direction TEXT CHECK (direction IN ('in', 'out')));
    INSERT INTO site (id, code, name, zone) VALUES (1, 'main', 'Main site', '');
    CREATE TABLE shift (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      code TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      grace INTEGER NOT NULL,
      overtime_after INTEGER NOT NULL);
    CREATE TABLE shift_hours (
      shift INTEGER NOT NULL REFERENCES shift(id) ON DELETE CASCADE,
      weekday INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6),
      start INTEGER NOT NULL,
      finish INTEGER NOT NULL,
      pause_start INTEGER,
      pause_finish INTEGER,
      PRIMARY KEY (shift, weekday)) WITHOUT ROWID;
    CREATE TABLE assignment (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      shift INTEGER NOT NULL REFERENCES shift(id),
      person INTEGER REFERENCES person(id) ON DELETE CASCADE,
      team TEXT,
      site INTEGER REFERENCES site(id),
      from_date TEXT NOT NULL,
      until_date TEXT,
      CHECK ((person IS NOT NULL) + (team IS NOT NULL) + (site IS NOT NULL) = 1));
    CREATE INDEX assignment_shift ON assignment(shift);
    CREATE INDEX assignment_person ON assignment(person);
    CREATE INDEX assignment_site ON assignment(site);
    CREATE TABLE holiday (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      date TEXT NOT NULL,
      name TEXT NOT NULL,
      site INTEGER REFERENCES site(id));
    CREATE UNIQUE INDEX holiday_date ON holiday(date, ifnull(site, 0));
    CREATE INDEX holiday_site ON holiday(site);
    CREATE TABLE placement (
      person INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,
      from_date TEXT NOT NULL,
      team TEXT NOT NULL,
      site TEXT NOT NULL,
      PRIMARY KEY (person, from_date)) WITHOUT ROWID;
    CREATE TABLE calendar_revision (
      only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
      revision INTEGER NOT NULL);
    INSERT INTO calendar_revision VALUES (1, 1);

    CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      person INTEGER REFERENCES person(id),
      site INTEGER NOT NULL REFERENCES site(id),
      direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
      at INTEGER NOT NULL,
      date TEXT NOT NULL,
      zone TEXT NOT NULL,
      source TEXT NOT NULL,
      similarity REAL,
      corrects INTEGER UNIQUE,
      struck INTEGER NOT NULL CHECK (struck IN (0, 1)),
      reason TEXT NOT NULL,
      actor TEXT NOT NULL,
      written_at INTEGER NOT NULL);
    CREATE INDEX event_person_date ON event(person, date);
    CREATE INDEX event_date ON event(date);
    CREATE INDEX event_at ON event(at);
    CREATE INDEX event_site ON event(site);
    CREATE TABLE event_key (
      key TEXT PRIMARY KEY,
      fingerprint TEXT NOT NULL,
      event INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
      duplicate INTEGER NOT NULL CHECK (duplicate IN (0, 1)),
      used_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX event_key_event ON event_key(event);
    CREATE INDEX event_key_used_at ON event_key(used_at);
    CREATE VIEW recorded AS
      SELECT event.id, event.person, person.nik, person.name, event.site, event.direction, event.at, event.date,
             event.zone, event.source, event.similarity, event.corrects, event.struck, event.reason, event.actor,
             event.written_at, (SELECT later.id FROM event AS later WHERE later.corrects = event.id) AS corrected_by
      FROM event LEFT JOIN person ON person.id = event.person;

    CREATE TRIGGER event_is_written_once
      BEFORE UPDATE OF id, site, direction, at, date, zone, source, similarity, corrects, struck, actor, written_at
      ON event BEGIN SELECT RAISE(ABORT, 'an event is never changed; write a correction'); END;
    CREATE TRIGGER event_keeps_its_person BEFORE UPDATE OF person, reason ON event WHEN NEW.person IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM merged WHERE former = OLD.person AND merged.person = NEW.person)
      BEGIN SELECT RAISE(ABORT, 'an event is never changed; write a correction'); END;
    CREATE TRIGGER person_leaves_events BEFORE DELETE ON person BEGIN
      DELETE FROM event_key WHERE event IN (SELECT id FROM event WHERE person = OLD.id);
      UPDATE event SET person = NULL, reason = '' WHERE person = OLD.id;
    END;

    INSERT INTO placement SELECT id, '1970-01-01', team, site FROM person WHERE team <> '' OR site <> '';
    CREATE TRIGGER person_is_placed AFTER INSERT ON person WHEN NEW.team <> '' OR NEW.site <> '' BEGIN
      INSERT INTO placement VALUES (NEW.id, '1970-01-01', NEW.team, NEW.site);
      UPDATE calendar_revision SET revision = revision + 1;
    END;
    CREATE TRIGGER person_is_placed_anew AFTER UPDATE OF team, site ON person
      WHEN OLD.team <> NEW.team OR OLD.site <> NEW.site BEGIN
      INSERT INTO placement VALUES (
          NEW.id,
          CASE WHEN OLD.team = '' AND OLD.site = '' THEN '1970-01-01' ELSE date(NEW.updated_at / 1000000, 'unixepoch') END,
          NEW.team, NEW.site)
        ON CONFLICT DO UPDATE SET team = NEW.team, site = NEW.site;
      UPDATE calendar_revision SET revision = revision + 1;
    END)");
}

// Idempotency keys are their sender's: two kiosks that count their requests use the same. Those in use go to whoever
// wrote the event, which all but a duplicate's sender did.
void keys_of_actors(sqlite::Connection& writer) {
  writer.execute(R"(
    CREATE TABLE actor_key (
      actor TEXT NOT NULL,
      key TEXT NOT NULL,
      fingerprint TEXT NOT NULL,
      event INTEGER NOT NULL REFERENCES event(id) ON DELETE CASCADE,
      duplicate INTEGER NOT NULL CHECK (duplicate IN (0, 1)),
      used_at INTEGER NOT NULL,
      PRIMARY KEY (actor, key)) WITHOUT ROWID;
    INSERT INTO actor_key SELECT event.actor, key, fingerprint, event, duplicate, used_at
      FROM event_key JOIN event ON event.id = event_key.event;
    CREATE INDEX actor_key_event ON actor_key(event);
    CREATE INDEX actor_key_used_at ON actor_key(used_at);
    DROP TRIGGER person_leaves_events;
    CREATE TRIGGER person_leaves_events BEFORE DELETE ON person BEGIN
      DELETE FROM actor_key WHERE event IN (SELECT id FROM event WHERE person = OLD.id);
      UPDATE event SET person = NULL, reason = '' WHERE person = OLD.id;
    END;
    DROP TABLE event_key)");
}

}  // namespace wajah::attendance::migration
