-- +goose Up
-- Small things beside listings: which model is active, where a source was, what people decided.
CREATE TABLE notes (space text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, value bytea NOT NULL, PRIMARY KEY (space, key));

-- Vectors that a provider was paid for, by model and SHA-256 of the text, with the listing they were first computed for.
CREATE TABLE paid (
  model   integer NOT NULL,
  key     bytea   NOT NULL,
  listing text COLLATE "C" NOT NULL,
  data    bytea   NOT NULL,
  PRIMARY KEY (model, key)
);
ALTER TABLE paid ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX paid_listing ON paid (listing);

-- The server's samples of texts, which would outlive the listings they are of, serve no query of ours.
ALTER TABLE listings ALTER COLUMN id SET STATISTICS 0, ALTER COLUMN stub SET STATISTICS 0, ALTER COLUMN body SET STATISTICS 0, ALTER COLUMN passages SET STATISTICS 0;
ALTER TABLE changes ALTER COLUMN id SET STATISTICS 0;
ALTER TABLE notes ALTER COLUMN key SET STATISTICS 0, ALTER COLUMN value SET STATISTICS 0;
ALTER TABLE paid ALTER COLUMN listing SET STATISTICS 0, ALTER COLUMN key SET STATISTICS 0, ALTER COLUMN data SET STATISTICS 0;

-- +goose Down
DROP TABLE paid, notes;
