-- +goose Up
-- Small things beside listings: which model is active, where a source was, what people decided.
CREATE TABLE notes (space TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, key)) WITHOUT ROWID;

-- Vectors that a provider was paid for, by model and SHA-256 of the text, with the listing they were first computed for.
CREATE TABLE paid (
  model   INTEGER NOT NULL REFERENCES models (num),
  key     BLOB    NOT NULL,
  listing TEXT    NOT NULL,
  data    BLOB    NOT NULL,
  UNIQUE (model, key)
);
CREATE INDEX paid_listing ON paid (listing);

-- +goose Down
DROP TABLE paid;
DROP TABLE notes;
