-- +goose Up
-- The number of the latest change; every put and delete takes the next one, inside its transaction.
CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
INSERT INTO clock VALUES (1, 0);

CREATE TABLE listings (
  num         INTEGER PRIMARY KEY,
  id          TEXT    NOT NULL UNIQUE,
  seq         INTEGER NOT NULL UNIQUE, -- of its latest change
  kind        TEXT    NOT NULL CHECK (kind IN ('expert', 'technology', 'problem')),
  fingerprint BLOB    NOT NULL,        -- SHA-256 of body
  body        TEXT    NOT NULL,        -- the listing as JSON
  passages    TEXT    NOT NULL         -- its passages as JSON
);

-- What was deleted, so that followers hear of it.
CREATE TABLE tombstones (id TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE);

CREATE TABLE models (num INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, dim INTEGER NOT NULL CHECK (dim > 0));

-- One row a listing and model: the vectors of all its passages in order, little-endian float32.
CREATE TABLE vectors (
  listing INTEGER NOT NULL REFERENCES listings (num) ON DELETE CASCADE,
  model   INTEGER NOT NULL REFERENCES models (num),
  data    BLOB    NOT NULL,
  UNIQUE (listing, model)
);

-- +goose Down
DROP TABLE vectors;
DROP TABLE models;
DROP TABLE tombstones;
DROP TABLE listings;
DROP TABLE clock;
