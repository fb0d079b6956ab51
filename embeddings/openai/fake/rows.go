package fake

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// row is one vector on its way out.
type row struct {
	index string // as JSON
	v     []float32
	raw   string // in place of v, as JSON
	null  bool
}

// answer sends a vector for each text, after the shape has hurt them.
func (p *Provider) answer(w http.ResponseWriter, q request, shape Shape) {
	tokens := p.bill(q.Input)
	dim := p.o.Dim
	if q.Dimensions > 0 && p.o.Asked == Honour {
		dim = q.Dimensions
	}
	rows := make([]row, len(q.Input))
	for i, t := range q.Input {
		rows[i] = row{index: strconv.Itoa(i), v: Vector(t, dim)}
	}
	encoded := q.Encoding == "base64" && p.o.Asked == Honour
	switch shape {
	case Base64, Base64NaN, Base64Cut:
		encoded = true
	case Floats:
		encoded = false
	}
	rows = hurtAll(rows, shape)
	last := len(rows) - 1
	for i := range rows {
		if p.o.Victim == "" && i == last || p.o.Victim != "" && strings.Contains(q.Input[i], p.o.Victim) {
			hurt(&rows[i], shape)
		}
	}
	switch shape {
	case Shuffled:
		slices.Reverse(rows)
	case Short:
		rows = slices.DeleteFunc(rows, func(r row) bool { return r.null })
	}
	body := encode(rows, encoded)
	body = fmt.Appendf(body, `,"model":%q,"usage":{"prompt_tokens":%d,"total_tokens":%d}}`, p.o.Model, tokens, tokens)
	switch shape {
	case Reset:
		reset(w, body)
	case Cut:
		write(w, http.StatusOK, string(body[:len(body)*2/3]))
	default:
		write(w, http.StatusOK, string(body))
	}
}

// hurtAll does what concerns all rows.
func hurtAll(rows []row, shape Shape) []row {
	for i := range rows {
		r := &rows[i]
		switch shape {
		case NoIndex:
			r.index = ""
		case BeyondIndex:
			r.index = strconv.Itoa(i + 1)
		case Scaled:
			for j := range r.v {
				r.v[j] *= 10
			}
		case AllWider:
			r.v = append(r.v, 0.1)
		case Same:
			r.v = rows[0].v
		}
	}
	if shape == NoRows {
		return nil
	}
	return rows
}

// hurt does what concerns one row.
func hurt(r *row, shape Shape) {
	element := func(s string) {
		r.raw = strings.Replace(string(array(r.v)), ",", ","+s+",", 1)
		r.raw = r.raw[:strings.LastIndexByte(r.raw, ',')] + "]"
	}
	fill := func(s string) { r.raw = "[" + s + strings.Repeat(","+s, len(r.v)-1) + "]" }
	switch shape {
	case Short, NullRow:
		r.null = true
	case NullVector:
		r.raw = "null"
	case NullElement:
		element("null")
	case NaN:
		element("NaN")
	case Infinite:
		element("-Infinity")
	case Overflow:
		element("1e39")
	case Text:
		element(`"0.1"`)
	case Base64NaN:
		r.v[1] = float32(math.NaN())
	case Base64Cut:
		r.raw = strconv.Quote(base64.StdEncoding.EncodeToString(make([]byte, 4*len(r.v)-1)))
	case Underflow:
		fill("1e-50")
	case Tiny:
		fill("1e-30")
	case Huge:
		fill("3e38")
	case Zero:
		fill("0")
	case OneWider:
		r.v = append(r.v, 0.1)
	case DuplicateIndex:
		r.index = "0"
	case NegativeIndex:
		r.index = "-1"
	case TextIndex:
		r.index = `"` + r.index + `"`
	}
}

// encode writes the rows up to the end of the list.
func encode(rows []row, encoded bool) []byte {
	out := []byte(`{"object":"list","data":[`)
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		if r.null {
			out = append(out, "null"...)
			continue
		}
		out = append(out, `{"object":"embedding",`...)
		if r.index != "" {
			out = append(append(append(out, `"index":`...), r.index...), ',')
		}
		out = append(out, `"embedding":`...)
		switch {
		case r.raw != "":
			out = append(out, r.raw...)
		case encoded:
			raw, _ := binary.Append(nil, binary.LittleEndian, r.v)
			out = strconv.AppendQuote(out, base64.StdEncoding.EncodeToString(raw))
		default:
			out = append(out, array(r.v)...)
		}
		out = append(out, '}')
	}
	return append(out, ']')
}

func array(v []float32) []byte {
	out := []byte{'['}
	for i, x := range v {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, float64(x), 'g', -1, 32)
	}
	return append(out, ']')
}
