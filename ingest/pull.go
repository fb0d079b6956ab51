package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/ingest/record"
)

// Pull says how the JSON answers of a web address are read, page by page.
type Pull struct {
	Items string    `yaml:"items"` // where the records stand, such as data.items; "" where the answer is the list itself
	Next  Next      `yaml:"next"`  // how the next page is asked for; nothing for a single page
	Size  *Param    `yaml:"size"`  // of a page
	Since *PullFrom `yaml:"since"` // asks for what changed since the last run
	Key   *PullKey  `yaml:"key"`
}

// Next is one way of asking for the next page.
type Next struct {
	Cursor string `yaml:"cursor"` // where the answer gives the next cursor
	As     string `yaml:"as"`     // the parameter that it is sent as; "cursor" by default
	First  string `yaml:"first"`  // the first one, if it is wanted, such as "*"
	Page   string `yaml:"page"`   // or: the parameter of the page's number
	From   *int   `yaml:"from"`   // of the first page; 1 by default
	URL    string `yaml:"url"`    // or: where the answer gives the next page's address
	Link   string `yaml:"link"`   // or: "header", for the Link header (RFC 8288)
}

// Param is a parameter of the address.
type Param struct {
	As string `yaml:"as"`
	Is string `yaml:"is"`
}

// PullFrom asks for what changed since.
type PullFrom struct {
	As   string `yaml:"as"`   // the parameter
	From string `yaml:"from"` // where a record says when it changed; the greatest is remembered
}

// PullKey is how the source is told who asks. The key itself comes from the environment.
type PullKey struct {
	Header    string `yaml:"header"`
	Prefix    string `yaml:"prefix"`
	Parameter string `yaml:"parameter"`
	Env       string `yaml:"env"`
}

func (p *Pull) check() error {
	ways := 0
	for _, set := range []bool{p.Next.Cursor != "", p.Next.Page != "", p.Next.URL != "", p.Next.Link != ""} {
		if set {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("pull: next: cursor, page, url and link: give one of them")
	case p.Next.Link != "" && p.Next.Link != "header":
		return fmt.Errorf("pull: next: link: %q: want header", p.Next.Link)
	case p.Since != nil && (p.Since.As == "" || p.Since.From == ""):
		return errors.New("pull: since: want as: PARAMETER and from: KEY")
	case p.Size != nil && (p.Size.As == "" || p.Size.Is == ""):
		return errors.New("pull: size: want as: PARAMETER and is: NUMBER")
	case p.Key != nil && (p.Key.Env == "" || (p.Key.Header == "") == (p.Key.Parameter == "")):
		return errors.New("pull: key: want env: NAME, and header: NAME or parameter: NAME")
	}
	return nil
}

// Bounds of a pull.
const (
	maxPage      = 64 << 20 // bytes
	maxPages     = 1_000_000
	pageTime     = time.Minute
	pullPatience = 5 * time.Minute // for one page, whatever it answers in between
)

// pulled is a source of the records of a web address.
type pulled struct {
	ctx    context.Context
	file   *SourceFile
	client *http.Client
	key    string
	format Format
	since  string

	next     string // address of the next page; "" after the last
	at       string // of the page whose records are being given
	pages    int
	page     int // number of the next page, where pages are numbered
	records  []Record
	count    int
	latest   string          // greatest "since" value seen
	asked    map[string]bool // addresses, so that a source that turns in a circle is noticed
	rejected []*RecordError
}

// openPull starts at an address that was remembered, or at the beginning.
func openPull(ctx context.Context, s *SourceFile, at, since string) (*pulled, error) {
	p := &pulled{ctx: ctx, file: s, since: since, latest: since, asked: map[string]bool{}, page: 1, format: Format{Name: s.Format, Lang: s.Lang}}
	if f := s.Pull.Next.From; f != nil {
		p.page = *f
	}
	u, err := url.Parse(s.From)
	if err != nil {
		return nil, err
	}
	first := *u
	p.client = &http.Client{Timeout: pageTime, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if !trusted(&first, req.URL) || len(via) > 5 {
			return errAway
		}
		return nil
	}}
	if k := s.Pull.Key; k != nil {
		if p.key = os.Getenv(k.Env); p.key == "" {
			return nil, fmt.Errorf("the key of %s is missing: set %s in the environment", u.Host, k.Env)
		}
	}
	if at != "" {
		p.next = at
		return p, p.resume(at)
	}
	q := u.Query()
	if size := s.Pull.Size; size != nil {
		q.Set(size.As, size.Is)
	}
	if since != "" && s.Pull.Since != nil {
		q.Set(s.Pull.Since.As, since)
	}
	if n := s.Pull.Next; n.First != "" {
		q.Set(n.as(), n.First)
	} else if n.Page != "" {
		q.Set(n.Page, strconv.Itoa(p.page))
	}
	u.RawQuery = q.Encode()
	p.next = u.String()
	return p, nil
}

// errAway ends a pull: whoever is asked next would be given the key.
var errAway = errors.New("it leads to another host, or away from https, and would give the key away")

// trusted reports whether what is sent to one address may be sent to another: the same host, as well encrypted.
func trusted(from, to *url.URL) bool {
	return to.Host == from.Host && (to.Scheme == from.Scheme || to.Scheme == "https")
}

func (n Next) as() string {
	if n.As != "" {
		return n.As
	}
	return "cursor"
}

// resume takes up the number of the page that an address asks for.
func (p *pulled) resume(at string) error {
	if p.file.Pull.Next.Page == "" {
		return nil
	}
	u, err := url.Parse(at)
	if err == nil {
		p.page, err = strconv.Atoi(u.Query().Get(p.file.Pull.Next.Page))
	}
	return err
}

// Next implements Source.
func (p *pulled) Next() (Record, error) {
	for {
		if len(p.rejected) > 0 {
			e := p.rejected[0]
			p.rejected = p.rejected[1:]
			return Record{}, e
		}
		if len(p.records) > 0 {
			r := p.records[0]
			p.records = p.records[1:]
			p.count++
			r.Line = p.count
			return r, nil
		}
		if p.next == "" {
			return Record{}, io.EOF
		}
		if err := p.fetch(); err != nil {
			return Record{}, fmt.Errorf("page %d (%s): %w", p.pages+1, withoutQuery(p.next), err)
		}
	}
}

// Offset, Size: how many pages were read; how many there are nobody knows.
func (p *pulled) Offset() int64 { return int64(p.pages) }

// Size implements Source.
func (p *pulled) Size() int64 { return 0 }

// Close implements Source.
func (p *pulled) Close() error { return nil }

// mark is where to go on when what was given so far is stored: this page again if it was not given wholly.
func (p *pulled) mark() string {
	if len(p.records)+len(p.rejected) > 0 {
		return p.at
	}
	return p.next
}

func withoutQuery(address string) string {
	if u, err := url.Parse(address); err == nil {
		u.RawQuery = ""
		return u.Redacted()
	}
	return "an address that is none"
}

// fetch reads the next page, and learns the one after it.
func (p *pulled) fetch() error {
	if p.asked[p.next] {
		return errors.New("the source leads back to a page that was read already: it turns in a circle")
	}
	if p.pages == maxPages {
		return fmt.Errorf("more than %d pages", maxPages)
	}
	p.asked[p.next] = true
	body, header, err := p.get(p.next)
	if err != nil {
		return err
	}
	p.at = p.next
	if err := p.read(body); err != nil {
		return err
	}
	p.pages++
	return p.turn(body, header)
}

// get asks for a page, again where that may help.
func (p *pulled) get(address string) (body []byte, header http.Header, err error) {
	type page struct {
		body   []byte
		header http.Header
	}
	got, err := backoff.Retry(p.ctx, func() (page, error) {
		req, err := http.NewRequestWithContext(p.ctx, http.MethodGet, address, nil)
		if err != nil {
			return page{}, backoff.Permanent(err)
		}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("User-Agent", "ketnoi")
		if k := p.file.Pull.Key; k != nil && k.Header != "" {
			req.Header.Set(k.Header, k.Prefix+p.key)
		} else if k != nil {
			q := req.URL.Query()
			q.Set(k.Parameter, p.key)
			req.URL.RawQuery = q.Encode()
		}
		resp, err := p.client.Do(req)
		if err != nil {
			var u *url.Error
			if errors.As(err, &u) {
				err = u.Err // the address holds the key, or may
			}
			if errors.Is(err, errAway) {
				err = backoff.Permanent(err)
			}
			return page{}, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
		switch {
		case err != nil:
			return page{}, err
		case len(body) > maxPage:
			return page{}, backoff.Permanent(fmt.Errorf("the page is larger than %d MiB: ask for smaller ones with pull: size", maxPage>>20))
		case resp.StatusCode == http.StatusOK:
			return page{body, resp.Header}, nil
		}
		err = fmt.Errorf("the source answers %s", resp.Status)
		switch after, wait := strconv.Atoi(resp.Header.Get("Retry-After")); {
		case resp.StatusCode == http.StatusTooManyRequests && wait == nil && after > 0:
			return page{}, errors.Join(err, backoff.RetryAfter(min(after, 120)))
		case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
			return page{}, err
		case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
			err = fmt.Errorf("%w: check the key", err)
		}
		return page{}, backoff.Permanent(err)
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(pullPatience), backoff.WithMaxTries(8))
	var permanent *backoff.PermanentError
	if errors.As(err, &permanent) {
		err = permanent.Err
	}
	return got.body, got.header, err
}

// read takes the records out of a page.
func (p *pulled) read(body []byte) error {
	if read := profileReaders[p.format.Name]; read != nil {
		return read(p.format, bytes.NewReader(body), record.Options{Refuse: func(e *record.Error) error {
			p.rejected = append(p.rejected, &RecordError{Line: p.count + len(p.records) + 1, Reason: e.Error()})
			return nil
		}}, func(_ int, values record.Values) error {
			p.records = append(p.records, Record{Values: values, Size: 1})
			return nil
		})
	}
	list, ok := find(body, p.file.Pull.Items)
	if !ok || list.Kind() != '[' {
		return fmt.Errorf("the answer has no list at %q (pull: items)", p.file.Pull.Items)
	}
	var items []jsontext.Value
	if err := json.Unmarshal(list, &items); err != nil {
		return err
	}
	for _, item := range items {
		r := Record{Size: len(item)}
		if err := json.Unmarshal(item, &r.Values); err != nil || r.Values == nil {
			_, reason := "", "want a JSON object"
			if err != nil {
				_, reason = record.Describe(err)
			}
			p.rejected = append(p.rejected, &RecordError{Line: p.count + len(p.records) + 1, Reason: reason})
			continue
		}
		if s := p.file.Pull.Since; s != nil {
			if v, ok := lookup(r.Values, s.From); ok {
				var at string
				if json.Unmarshal(v, &at) != nil {
					at = string(v)
				}
				p.latest = max(p.latest, at)
			}
		}
		p.records = append(p.records, r)
	}
	return nil
}

// find follows a path of names through an answer.
func find(body jsontext.Value, path string) (jsontext.Value, bool) {
	if path == "" {
		return body, body.IsValid()
	}
	var o object
	if json.Unmarshal(body, &o) != nil {
		return nil, false
	}
	return lookup(o, path)
}

// word returns what stands at a path, as a text; "" for nothing or null.
func word(body jsontext.Value, path string) string {
	v, ok := find(body, path)
	var s string
	switch {
	case !ok || v.Kind() == 'n':
		return ""
	case json.Unmarshal(v, &s) == nil:
		return s
	}
	return string(v)
}

var nextLink = regexp.MustCompile(`<([^>]*)>[^,]*;\s*rel="?next"?`)

// turn finds the address of the next page, "" after the last.
func (p *pulled) turn(body jsontext.Value, header http.Header) error {
	n := p.file.Pull.Next
	with := func(name, value string) error {
		u, err := url.Parse(p.at)
		if err != nil {
			return err
		}
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		p.next = u.String()
		return nil
	}
	found := ""
	switch {
	case n.Cursor != "":
		if found = word(body, n.Cursor); found != "" && len(p.records)+len(p.rejected) > 0 {
			return with(n.as(), found)
		}
		p.next = ""
		return nil
	case n.Page != "":
		if len(p.records)+len(p.rejected) == 0 {
			p.next = ""
			return nil
		}
		p.page++
		return with(n.Page, strconv.Itoa(p.page))
	case n.URL != "":
		found = word(body, n.URL)
	case n.Link != "":
		if m := nextLink.FindStringSubmatch(strings.Join(header.Values("Link"), ", ")); m != nil {
			found = m[1]
		}
	}
	if found == "" {
		p.next = ""
		return nil
	}
	u, err := url.Parse(p.at)
	if err == nil {
		here := *u
		if u, err = u.Parse(found); err == nil && !trusted(&here, u) {
			err = fmt.Errorf("the next page: %w", errAway)
		}
	}
	if err != nil {
		return err
	}
	p.next = u.String()
	return nil
}
