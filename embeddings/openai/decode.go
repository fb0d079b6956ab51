package openai

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDim is more than any model has.
const maxDim = 1 << 16

// answer is what one request brought, in the order of its texts. A text has a vector, of finite elements but any length and
// width, or a fault that makes it unusable, or neither, where its row is missing.
type answer struct {
	vectors [][]float32
	faults  []string
	tokens  int // that the provider billed, 0 if it does not say
}

// document is an answer as it is sent. What need not be right for us is kept as it is.
type document struct {
	Data  rows           `json:"data"`
	Usage jsontext.Value `json:"usage"`
	Error jsontext.Value `json:"error"`
}

type rows struct {
	most int
	list []row
	here bool
}

type row struct {
	Index     jsontext.Value `json:"index"`
	Embedding jsontext.Value `json:"embedding"`
}

// UnmarshalJSONFrom reads the list, and no more rows than there may be: an answer of 64 MiB could hold 20 million.
func (r *rows) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '[' {
		return dec.SkipValue()
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	r.here = true
	for dec.PeekKind() != ']' {
		if len(r.list) == r.most {
			return errors.New("it holds more rows than texts were sent")
		}
		var one row
		if err := json.UnmarshalDecode(dec, &one); err != nil {
			return err
		}
		r.list = append(r.list, one)
	}
	_, err := dec.ReadToken()
	return err
}

// notNumbers are what Python and others write in JSON for numbers that are none. The character before keeps it from
// matching within a string of base64.
var notNumbers = regexp.MustCompile(`([\[,:]\s*)(?:NaN|[-+]?Infinity)`)

// decode reads the answer to n texts, in floats or base64, whatever was asked. The error says in what the answer as a whole
// is unusable: since its rows are numbered wrongly, say, none can be trusted to stand by its text.
func decode(body []byte, n int) (answer, error) {
	a := answer{vectors: make([][]float32, n), faults: make([]string, n)}
	doc := document{Data: rows{most: n}}
	err := json.Unmarshal(body, &doc)
	if err != nil && notNumbers.Match(body) {
		doc = document{Data: rows{most: n}}
		err = json.Unmarshal(notNumbers.ReplaceAll(body, []byte("${1}null")), &doc)
	}
	switch {
	case len(body) == 0:
		return a, errors.New("an empty answer")
	case err != nil:
		return a, fmt.Errorf("an answer that cannot be read: %w", err)
	case doc.Error != nil && doc.Error.Kind() != 'n' || !doc.Data.here:
		return a, fmt.Errorf("%w: %s", errInPlace, says(body))
	}
	var usage struct {
		Tokens float64 `json:"prompt_tokens"`
	}
	if json.Unmarshal(doc.Usage, &usage) == nil && usage.Tokens > 0 && usage.Tokens < 1e9 {
		a.tokens = int(usage.Tokens)
	}
	return a, a.place(doc.Data.list)
}

// place puts the rows by their numbers. Rows without any number stand in order, if there is one for each text.
func (a *answer) place(list []row) error {
	seen, bare := make([]bool, len(a.vectors)), 0
	for i, r := range list {
		if r.Embedding == nil {
			continue
		}
		at := i
		if r.Index == nil || r.Index.Kind() == 'n' {
			bare++
		} else {
			var err error
			if at, err = strconv.Atoi(string(r.Index)); err != nil || at < 0 || at >= len(seen) {
				return fmt.Errorf("a row numbered %.20s for texts 0 to %d", r.Index, len(seen)-1)
			}
		}
		if seen[at] {
			return fmt.Errorf("two rows numbered %d", at)
		}
		seen[at] = true
		a.vectors[at], a.faults[at] = vector(r.Embedding)
	}
	if bare > 0 && bare != len(seen) {
		return errors.New("rows without a number")
	}
	return nil
}

// vector reads an array of numbers, or base64 of little-endian 32-bit floats. A number is rounded to 32 bits, so that both
// give the same vector.
func vector(raw jsontext.Value) (v []float32, fault string) {
	switch raw.Kind() {
	case '"':
		return packed(raw)
	case '[':
	default:
		return nil, fmt.Sprintf("its vector is %.20s", raw)
	}
	dec := jsontext.NewDecoder(strings.NewReader(string(raw)))
	if _, err := dec.ReadToken(); err != nil {
		return nil, "its vector cannot be read"
	}
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil || len(v) == maxDim {
			return nil, fmt.Sprintf("its vector has more than %d elements or cannot be read", maxDim)
		}
		if value.Kind() != '0' {
			return nil, fmt.Sprintf("element %d of its vector is no number", len(v))
		}
		x, err := strconv.ParseFloat(string(value), 32)
		if err != nil {
			return nil, fmt.Sprintf("element %d of its vector is %.20s, too large for 32 bits", len(v), value)
		}
		v = append(v, float32(x))
	}
	if v == nil {
		return nil, "its vector is empty"
	}
	return v, ""
}

func packed(raw jsontext.Value) (v []float32, fault string) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, "its vector cannot be read"
	}
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || len(data) == 0 || len(data)%4 != 0 || len(data) > 4*maxDim {
		return nil, "its vector is no base64 of 32-bit numbers"
	}
	v = make([]float32, len(data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if x := float64(v[i]); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Sprintf("element %d of its vector is no number", i)
		}
	}
	return v, ""
}
