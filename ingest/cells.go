package ingest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ketnoi/ketnoi/engine"
)

// readCells turns the cells of a table, all strings, into what their keys hold.
func (d *draft) readCells() error {
	for _, key := range slices.Sorted(maps.Keys(d.values)) {
		var cell string
		err := json.Unmarshal(d.values[key], &cell)
		if err == nil {
			d.values[key], err = cellValue(key, strings.TrimSpace(cell))
		}
		if err != nil {
			return d.refuse(key, "%v", err)
		}
	}
	return nil
}

// cellValue reads a cell. A list is parted by ; or | or, where neither stands, by commas; works are written as JSON, or as
// one title a line.
func cellValue(key, cell string) (jsontext.Value, error) {
	switch key {
	case "conflicts":
		return json.Marshal(strings.FieldsFunc(cell, func(r rune) bool { return r == ';' || r == '|' || r == '\n' })) // a name may have a comma
	case "ambassador":
		switch strings.ToLower(cell) {
		case "", "0", "false", "no", "non", "không", "아니오", "否":
			return json.Marshal(false)
		case "1", "true", "yes", "oui", "có", "x", "예", "是":
			return json.Marshal(true)
		}
		return nil, fmt.Errorf("%q is neither yes nor no", cell)
	case "fields", "regions", "languages", "seeks.kinds", "seeks.fields", "seeks.regions", "seeks.languages", "seeks.partnership":
		return json.Marshal(splitList(cell))
	case "trl", "capacity", "works.year":
		n, err := strconv.Atoi(cell)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", cell)
		}
		return json.Marshal(n)
	case "published_at", "expires_at", "basis.at":
		return json.Marshal(zoned(cell))
	case "works":
		if v := jsontext.Value(cell); strings.HasPrefix(cell, "[") && v.IsValid() {
			return v, nil
		}
		var works []engine.Work
		for line := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if line = strings.TrimSpace(line); line != "" {
				works = append(works, engine.Work{Title: line})
			}
		}
		return json.Marshal(works)
	case "seeks", "basis":
		if v := jsontext.Value(cell); v.IsValid() && v.Kind() == '{' {
			return v, nil
		}
		return nil, fmt.Errorf("want a JSON object, or columns such as %s.%s", key, map[string]string{"seeks": "kinds", "basis": "kind"}[key])
	}
	return json.Marshal(cell)
}

// localTime is how tables write a time; they have no place for a zone.
const localTime = "2006-01-02 15:04:05"

// zoned gives a table's time the zone of Viet Nam, by which a bare date ends too.
func zoned(cell string) string {
	t, err := time.ParseInLocation(localTime, cell, time.FixedZone("ICT", 7*3600))
	if err != nil {
		return cell
	}
	return t.Format(time.RFC3339)
}

func splitList(cell string) []string {
	sep := ","
	if strings.ContainsAny(cell, ";|") {
		sep = ";"
		cell = strings.ReplaceAll(cell, "|", ";")
	}
	out := []string{}
	for piece := range strings.SplitSeq(cell, sep) {
		if piece = strings.TrimSpace(piece); piece != "" {
			out = append(out, piece)
		}
	}
	return out
}
