package ingest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
	"github.com/ketnoi/ketnoi/ingest/record"
)

// Mapping leads from a source's own names to the keys of a listing.
type Mapping struct {
	Columns map[string]string // key of a listing ("text", "works.title") -> the source's name for it
	Kind    engine.Kind       // overrides what the source says, if not empty
	Lang    string            // the same for the language
	Basis   *engine.Basis     // of listings about a person that state none; nil for none
	File    string            // the source file that says this, for messages; "" for none

	values  map[string]map[string]string // by key: the source's value, folded -> ours
	unknown map[string]string            // by key: "drop" leaves out what is no value of ours
}

// keys are the keys of a listing that a source can fill, those of a work behind "works.".
var keys = []string{"id", "kind", "title", "text", "lang", "summary", "fields", "regions", "languages", "organisation", "organisation_type", "conflicts", "ambassador", "trl", "ip_status",
	"seeks", "seeks.kinds", "seeks.fields", "seeks.regions", "seeks.languages", "seeks.partnership", "works", "works.title", "works.text", "works.year", "works.url",
	"capacity", "url", "published_at", "expires_at", "person", "basis", "basis.kind", "basis.at", "extra"}

// draft is a listing that is being built from a record: it renames keys, reads cells as what their key holds, keeps as
// extra what a mapping does not name, and decodes strictly.
type draft struct {
	m      *Mapping
	r      Record
	values object // by the keys of a listing
	extra  object // by names of the source
}

func (d *draft) refuse(field, format string, args ...any) error {
	return &RecordError{Line: d.r.Line, Field: brief(field, maxField), Reason: fmt.Sprintf(format, args...)}
}

// refused turns an error into one of a field of this record.
func (d *draft) refused(field string, err error) error {
	var already *RecordError
	if err == nil || errors.As(err, &already) {
		return err
	}
	return d.refuse(field, "%v", err)
}

// listing builds a listing from a record. The result is not normalised yet.
func (m *Mapping) listing(r Record) (*engine.Listing, error) {
	d := &draft{m: m, r: r, values: make(object, len(r.Values)+2), extra: object{}}
	err := d.rename()
	if err == nil {
		err = d.translate()
	}
	if err == nil && r.Cells {
		err = d.readCells()
	}
	if err == nil {
		err = d.nest()
	}
	if err == nil && m.Columns != nil {
		err = d.sift()
	}
	if err != nil {
		return nil, err
	}
	if id, ok := d.values["id"]; ok && id.Kind() == '0' { // a number is as good as its digits, all of them
		d.values["id"] = jsontext.Value(strconv.Quote(string(id)))
	}
	if err = d.force("kind", string(m.Kind)); err == nil {
		err = d.force("lang", m.Lang)
	}
	if err != nil {
		return nil, err
	}
	if len(d.extra) > 0 {
		if d.values["extra"], err = json.Marshal(d.extra, json.Deterministic(true)); err != nil {
			return nil, d.refused("extra", err)
		}
	}
	body, err := json.Marshal(d.values)
	if err != nil {
		return nil, d.refused("", err)
	}
	l := new(engine.Listing)
	if err := json.Unmarshal(body, l, json.RejectUnknownMembers(true)); err != nil {
		field, reason := record.Describe(err)
		if errors.Is(err, json.ErrUnknownName) {
			reason += keepIt
		}
		return nil, d.refuse(field, "%s", reason)
	}
	m.complete(l)
	return l, nil
}

// complete adds what the mapping knows of a listing that does not say it itself.
func (m *Mapping) complete(l *engine.Listing) {
	if l.Kind == engine.Expert && l.Organisation == "" && l.Person == "" && firmNames[strings.ToLower(strings.TrimSpace(m.Columns["title"]))] {
		l.Organisation = l.Title
	}
	if m.Basis != nil && l.LacksBasis() {
		basis := *m.Basis
		l.Basis = &basis
	}
}

// firmNames are names of columns that hold the name of a firm: what such a column gives as a title is no person.
var firmNames = set("firm", "firm name", "firm_name", "company", "company name", "company_name", "organisation", "organization", "organisation name", "organization name",
	"enterprise", "institution", "institute", "provider", "supplier", "vendor", "công ty", "tên công ty", "doanh nghiệp", "tên doanh nghiệp", "tổ chức", "tên tổ chức", "đơn vị", "tên đơn vị",
	"cơ quan", "entreprise", "société", "raison sociale", "organisme", "établissement", "회사", "회사명", "기업", "기업명", "기관", "기관명", "업체명",
	"公司", "公司名称", "企业", "企业名称", "机构", "机构名称", "单位", "单位名称")

func set(values ...string) map[string]bool {
	out := make(map[string]bool, len(values))
	for _, v := range values {
		out[v] = true
	}
	return out
}

// rename sorts the record's values under the keys of a listing, and keeps the rest.
func (d *draft) rename() error {
	used := map[string]bool{}
	for key, column := range d.m.Columns {
		if strings.HasPrefix(key, "works.") && !d.r.Cells { // names within works: sift leads them
			continue
		}
		if v, ok := lookup(d.r.Values, column); ok {
			d.values[key] = d.exact(key, column, v)
			used[column] = true
		}
	}
	given, ok := d.values["extra"]
	if delete(d.values, "extra"); !ok && !used["extra"] {
		given, ok = d.r.Values["extra"]
	}
	if ok {
		if err := d.keepAll(given); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.r.Values)) {
		_, taken := d.values[name]
		var err error
		switch v := d.r.Values[name]; {
		case used[name] || name == "extra":
		case slices.Contains(keys, name) && !taken && d.m.Columns[name] == "":
			d.values[name] = d.exact(name, name, v)
		case d.m.Columns == nil:
			err = d.refuse(name, "unknown key%s%s", d.suggest(name), keepIt)
		default:
			err = d.keep(name, v)
		}
		if err != nil {
			return err
		}
	}
	if _, ok := d.values["id"]; !ok && d.r.Values["id"] != nil { // a column that serves as a title may still be the id
		d.values["id"] = d.r.Values["id"]
	}
	return nil
}

// exact returns the number behind a cell of a workbook whose format shows it otherwise, where the key wants a number.
func (d *draft) exact(key, column string, v jsontext.Value) jsontext.Value {
	if n, ok := d.r.Numbers[column]; ok && (key == "trl" || key == "capacity" || key == "works.year") {
		return jsontext.Value(strconv.Quote(n))
	}
	return v
}

// keepIt ends the message on a key that is not ours.
const keepIt = "; or keep it: any --map, such as --map id=id, keeps what it does not name as extra"

// suggest says how an unknown key could lead to one of ours that the record does not have.
func (d *draft) suggest(name string) string {
	_, work := d.r.Values["works"]
	for _, key := range []string{"title", "text", "summary", "organisation", "url", "person"} {
		if _, has := d.r.Values[key]; !has && (key != "text" || !work) {
			return fmt.Sprintf("; if it is the %s, say --map %s", key, pairFor(key, name))
		}
	}
	return ""
}

// force sets a string value and keeps what the source said, if it said something else, as extra.
func (d *draft) force(key, value string) error {
	if value == "" {
		return nil
	}
	old := d.values[key]
	d.values[key] = jsontext.Value(strconv.Quote(value))
	if len(old) == 0 || old.Kind() == 'n' || string(old) == string(d.values[key]) || string(old) == `""` {
		return nil
	}
	delete(d.extra, key) // what an earlier --kind kept there
	return d.keep(key, old)
}

// lookup finds a value by its name, or by a path through nested objects: "contact.name".
func lookup(values object, name string) (jsontext.Value, bool) {
	if v, ok := values[name]; ok {
		return v, true
	}
	head, rest, ok := strings.Cut(name, ".")
	if !ok || values[head].Kind() != '{' {
		return nil, false
	}
	var inner object
	if json.Unmarshal(values[head], &inner) != nil {
		return nil, false
	}
	return lookup(inner, rest)
}
