package report

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/ketnoi/ketnoi/eval"
)

// The colours that stand in the drawing and the names the style sheet gives them, light and dark: ink is its black.
var (
	first  = color.RGBA{0x01, 0x01, 0x02, 0xFF}
	second = color.RGBA{0x01, 0x01, 0x03, 0xFF}
	third  = color.RGBA{0x01, 0x01, 0x04, 0xFF}
	faint  = color.RGBA{0x01, 0x01, 0x05, 0xFF}
)

var inCSS = strings.NewReplacer(
	"#010102", "var(--first)", "#010103", "var(--second)", "#010104", "var(--third)", "#010105", "var(--faint)", "#000000", "currentColor",
	"font-family:Liberation Sans;", "", // the page's own, which have glyphs for all five languages
)

// colours of results, in order; dashes tell them apart without colour.
var lines = []draw.LineStyle{
	{Color: first, Width: vg.Points(1.8)}, {Color: second, Width: vg.Points(1.8), Dashes: []vg.Length{vg.Points(6), vg.Points(3)}},
	{Color: third, Width: vg.Points(1.8), Dashes: []vg.Length{vg.Points(2), vg.Points(2)}}, {Color: faint, Width: vg.Points(1.8)},
}

const (
	width  = 17 * vg.Centimeter
	height = 7.5 * vg.Centimeter
)

func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	p.X.Label.Text, p.Y.Label.Text = x, y
	sans := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(9)}
	for _, style := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font, &p.Legend.TextStyle.Font} {
		*style = sans
	}
	// Thumbnails left of their words: the page's font is wider than the one the drawing is laid out with.
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.Padding = true, true, 0.62*width, vg.Points(2)
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: faint, Width: vg.Points(0.4)}
	p.Add(grid)
	return p
}

var head = regexp.MustCompile(`(?s)^.*?<svg width="[^"]*" height="[^"]*"`)

// svg draws a plot as an element of the page: it takes the page's width, fonts and colours.
func svg(p *plot.Plot, label string) (template.HTML, error) {
	c := vgsvg.NewWith(vgsvg.UseWH(width, height))
	p.Draw(draw.Crop(draw.New(c), 0, -vg.Points(12), 0, -vg.Points(6))) // else the last label is cut
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", err
	}
	open := fmt.Sprintf(`<svg class="plot" role="img" aria-label="%s"`, template.HTMLEscapeString(label))
	return template.HTML(inCSS.Replace(head.ReplaceAllLiteralString(b.String(), open))), nil //nolint:gosec // the drawing's own text is escaped by its writer
}

// curve draws each result's topics from the best to the worst.
func curve(results []*eval.Result, measure string) (template.HTML, error) {
	p := newPlot("topics, each ranker's best first", measure)
	p.Y.Min, p.Y.Max = 0, 1
	for i, res := range results[:min(len(results), len(lines))] {
		var values []float64
		for _, m := range res.Topics {
			values = append(values, m[measure])
		}
		slices.SortFunc(values, func(a, b float64) int {
			switch {
			case a > b:
				return -1
			case a < b:
				return 1
			}
			return 0
		})
		xy := make(plotter.XYs, len(values))
		for k, v := range values {
			xy[k] = plotter.XY{X: float64(k + 1), Y: v}
		}
		l, err := plotter.NewLine(xy)
		if err != nil {
			return "", err
		}
		l.LineStyle = lines[i]
		l.StepStyle = plotter.MidStep
		p.Add(l)
		p.Legend.Add(clip(res.Name, 40), l)
	}
	return svg(p, "Topics by "+measure+", best first, one line a ranker")
}

// differences draws what each topic gained or lost, the greatest loss first.
func differences(c *eval.Comparison) (template.HTML, error) {
	p := newPlot("topics, the greatest loss first", "change of "+c.Changes[0].Measure)
	// One filled shape: a bar a topic would make a page of thousands of elements.
	for _, part := range []struct {
		of   func(float64) bool
		fill color.Color
	}{{func(v float64) bool { return v < 0 }, second}, {func(v float64) bool { return v > 0 }, first}} {
		xy := plotter.XYs{{X: 0.5, Y: 0}}
		for i, m := range c.Moved {
			v := 0.0
			if part.of(m.Difference) {
				v = m.Difference
			}
			xy = append(xy, plotter.XY{X: float64(i) + 0.55, Y: v}, plotter.XY{X: float64(i) + 1.45, Y: v})
		}
		xy = append(xy, plotter.XY{X: float64(len(c.Moved)) + 0.5, Y: 0})
		shape, err := plotter.NewPolygon(xy)
		if err != nil {
			return "", err
		}
		shape.Color, shape.Width = part.fill, 0
		p.Add(shape)
	}
	zero, err := plotter.NewLine(plotter.XYs{{X: 0.5, Y: 0}, {X: float64(len(c.Moved)) + 0.5, Y: 0}})
	if err != nil {
		return "", err
	}
	p.Add(zero)
	p.Y.Min, p.Y.Max = min(p.Y.Min, -0.1), max(p.Y.Max, 0.1)
	if err := extremes(p, c.Moved); err != nil {
		return "", err
	}
	return svg(p, fmt.Sprintf("Change of %s by topic, from %s to %s", c.Changes[0].Measure, c.A, c.B))
}

// extremes writes the titles of the topics that lost and gained most into the drawing.
func extremes(p *plot.Plot, moved []eval.TopicShift) error {
	if len(moved) == 0 {
		return nil
	}
	lost, won := moved[0], moved[len(moved)-1]
	var xy plotter.XYs
	var text []string
	if lost.Difference < 0 {
		xy, text = append(xy, plotter.XY{X: float64(len(moved))*0.02 + 1, Y: lost.Difference * 0.97}), append(text, "↓ "+name(lost))
	}
	if won.Difference > 0 {
		xy, text = append(xy, plotter.XY{X: float64(len(moved)) * 0.45, Y: won.Difference * 0.9}), append(text, "↑ "+name(won))
	}
	l, err := plotter.NewLabels(plotter.XYLabels{XYs: xy, Labels: text})
	if err != nil {
		return err
	}
	for i := range l.TextStyle {
		l.TextStyle[i].Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(8)}
	}
	p.Add(l)
	return nil
}

func name(t eval.TopicShift) string {
	if t.Title == "" {
		return t.Topic
	}
	return clip(t.Title, 44)
}

// reliability draws how often what got a score was accepted.
func reliability(c *eval.Calibration) (template.HTML, error) {
	p := newPlot("score", "accepted")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	right, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 0}, {X: 1, Y: 1}})
	if err != nil {
		return "", err
	}
	right.LineStyle = draw.LineStyle{Width: vg.Points(0.8), Dashes: []vg.Length{vg.Points(3), vg.Points(3)}, Color: color.Black}
	xy := make(plotter.XYs, len(c.Bins))
	for i, b := range c.Bins {
		xy[i] = plotter.XY{X: b.Score, Y: b.Accepted}
	}
	l, points, err := plotter.NewLinePoints(xy)
	if err != nil {
		return "", err
	}
	l.LineStyle = lines[0]
	points.Color, points.Shape, points.Radius = first, draw.CircleGlyph{}, vg.Points(3)
	p.Add(right, l, points)
	p.Legend.Add("as it is", l, points)
	p.Legend.Add("if scores were probabilities", right)
	p.Legend.Top, p.Legend.YOffs = false, vg.Points(8)
	return svg(p, "Reliability: share accepted by score")
}

// mostGroups is how many groups an exposure plot has room for.
const mostGroups = 10

// exposure draws a group's share of the listings, of the attention, and of what is relevant.
func exposure(e eval.Exposure) (template.HTML, error) {
	p := newPlot("", "share")
	groups := e.Groups[:min(mostGroups, len(e.Groups))]
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = clip(g.Group, 16)
	}
	wide := vg.Points(min(14, 110/float64(max(1, len(groups)))))
	for i, bar := range []struct {
		label string
		of    func(eval.GroupExposure) float64
		fill  color.Color
	}{
		{"of the listings", func(g eval.GroupExposure) float64 { return g.Population }, faint},
		{"of the attention", func(g eval.GroupExposure) float64 { return g.Exposure }, first},
		{"of what is relevant", func(g eval.GroupExposure) float64 { return g.Relevant }, second},
	} {
		values := make(plotter.Values, len(groups))
		for k, g := range groups {
			values[k] = bar.of(g)
		}
		b, err := plotter.NewBarChart(values, wide)
		if err != nil {
			return "", err
		}
		b.Color, b.LineStyle.Width, b.Offset = bar.fill, 0, wide*vg.Length(i-1)
		p.Add(b)
		p.Legend.Add(bar.label, b)
	}
	p.NominalX(names...)
	p.X.Min, p.X.Max, p.Y.Min = -0.6, float64(len(groups))-0.4, 0
	return svg(p, "Shares of listings, attention and relevance by group")
}

// clip cuts a text to n characters.
func clip(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n-1]) + "…"
}
