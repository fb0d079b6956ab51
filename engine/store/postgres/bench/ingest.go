package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ketnoi/ketnoi/engine/store/postgres"
)

// ingestRate compares Put with a bare binary copy of the very rows that Put wrote, into the same tables with the same
// indexes but for the graph, batch by batch in turns, each into a database of its own.
func ingestRate(ctx context.Context, address string, c *corpus) error {
	n := min(*copyRate, c.n)
	admin, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	open := func(name string) (*postgres.Store, error) {
		if _, err := admin.Exec(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
			return nil, err
		}
		if _, err := admin.Exec(ctx, `CREATE DATABASE `+name); err != nil {
			return nil, err
		}
		config, err := pgxpool.ParseConfig(address)
		if err != nil {
			return nil, err
		}
		u := config.ConnConfig
		return postgres.Open(ctx, fmt.Sprintf("postgres://%s:%s@%s:%d/%s", u.User, u.Password, u.Host, u.Port, name))
	}
	ours, err := open("ketnoi_bench_put")
	if err != nil {
		return err
	}
	defer ours.Close()
	bare, err := open("ketnoi_bench_copy")
	if err != nil {
		return err
	}
	defer bare.Close()
	if err := bare.Put(ctx, model, dim, c.entries(0, 1)); err != nil { // makes the model's table
		return err
	}
	if _, err := bare.Pool().Exec(ctx, `TRUNCATE listings, changes, words, vectors_1`); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	const batch = 1_000
	var put, prepared, copied time.Duration
	rows := 0
	for at := 0; at < n; at += batch {
		entries := c.entries(at, min(at+batch, n))
		start := time.Now()
		_ = ours.Put(cancelled, model, dim, entries) // reads the entries' words and concepts, and goes no further
		prepared += time.Since(start)
		start = time.Now()
		if err := ours.Put(ctx, model, dim, entries); err != nil {
			return err
		}
		put += time.Since(start)
		took, err := copyBare(ctx, ours.Pool(), bare.Pool(), int64(at))
		if err != nil {
			return err
		}
		copied += took
		rows += len(entries)
	}
	rate := func(d time.Duration) float64 { return float64(rows) / d.Seconds() }
	fmt.Printf("\ningest of %d listings in batches of %d, one writer: bare binary copy of the same rows %.0f a second; Put %.0f a second, %.0f %% of it; without reading words and concepts, which the copy is spared, %.0f a second, %.0f %%\n",
		rows, batch, rate(copied), rate(put), 100*copied.Seconds()/put.Seconds(), rate(put-prepared), 100*copied.Seconds()/(put-prepared).Seconds())
	return nil
}

// tables are what a Put fills, with the column that tells its rows from those of earlier ones.
var tables = []struct{ name, after string }{{"listings", "num"}, {"changes", "listing"}, {"words", "listing"}, {"vectors_1", "listing"}}

// copyBare copies the rows of the last batch from one database to the other, in one transaction; only writing is timed.
func copyBare(ctx context.Context, from, to *pgxpool.Pool, after int64) (took time.Duration, err error) {
	var data [][]byte
	for _, t := range tables {
		b := new(bytes.Buffer)
		conn, err := from.Acquire(ctx)
		if err != nil {
			return 0, err
		}
		_, err = conn.Conn().PgConn().CopyTo(ctx, b, fmt.Sprintf(`COPY (SELECT * FROM %s WHERE %s > %d) TO STDOUT (FORMAT binary)`, t.name, t.after, after))
		conn.Release()
		if err != nil {
			return 0, err
		}
		data = append(data, b.Bytes())
	}
	conn, err := to.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	start := time.Now()
	if _, err := conn.Exec(ctx, `BEGIN`); err != nil {
		return 0, err
	}
	for i, t := range tables {
		if _, err := conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(data[i]), `COPY `+t.name+` FROM STDIN (FORMAT binary)`); err != nil {
			return 0, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	_, err = conn.Exec(ctx, `COMMIT`)
	return time.Since(start), err
}
