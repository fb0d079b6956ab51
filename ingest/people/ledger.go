package people

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// entry is one erasure in the ledger: a line of JSON. The first line of the file holds the secret of its hashes.
type entry struct {
	At   time.Time `json:"at"`
	Keys []string  `json:"keys"`
}

type heading struct {
	Secret string `json:"secret"`
}

// readLedger reads a ledger; a file that is not there is an empty one.
func readLedger(path string) (secret []byte, entries []entry, err error) {
	if path == "" {
		return nil, nil, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if secret == nil {
			var h heading
			if err = json.Unmarshal(lines.Bytes(), &h); err == nil {
				secret, err = hex.DecodeString(h.Secret)
			}
			if err == nil && len(secret) == 0 {
				err = errors.New("no secret")
			}
		} else {
			var e entry
			err = json.Unmarshal(lines.Bytes(), &e)
			entries = append(entries, e)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s:%d: not a ledger of erasures: %w", path, n, err)
		}
	}
	return secret, entries, lines.Err()
}

// write writes an erasure into the ledger, if there is one, and makes sure that it is on disk. A new ledger begins with what
// the store knows already.
func (r *Register) write(ctx context.Context, e entry) error {
	if r.path == "" {
		return nil
	}
	f, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the ledger of erasures: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var body []byte
	line := func(v any) {
		if err == nil {
			var one []byte
			one, err = json.Marshal(v)
			body = append(append(body, one...), '\n')
		}
	}
	if info.Size() == 0 {
		line(heading{hex.EncodeToString(r.secret)})
		old, err := r.known(ctx)
		if err != nil {
			return err
		}
		for _, o := range old {
			line(o)
		}
		r.ledger = old
	}
	line(e)
	r.ledger = append(r.ledger, e)
	if err == nil {
		_, err = f.Write(body)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return fmt.Errorf("the ledger of erasures: %w", err)
	}
	return nil
}

// known are the erasures that the store knows, by their hashes.
func (r *Register) known(ctx context.Context) (out []entry, err error) {
	for after := ""; ; {
		some, err := r.notes.ListNotes(ctx, tombstones, after, 1000)
		if err != nil || len(some) == 0 {
			return out, err
		}
		for _, n := range some {
			at, err := time.Parse(time.RFC3339, string(n.Value))
			if err != nil {
				return nil, fmt.Errorf("the store's note of an erasure: %w", err)
			}
			out, after = append(out, entry{at, []string{n.Key}}), n.Key
		}
	}
}
