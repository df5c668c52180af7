package monitoring

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// plot is a few lines over time, drawn as SVG, and the same as a table.
type plot struct {
	ID    string
	Title string
	About string
	Unit  string
	Lines []line
	From  time.Time
	Ends  []time.Time
	Form  string // of times
	Note  string // why there is nothing to see
}

// line is one of a plot. NaN is unknown, and leaves a gap.
type line struct {
	Label  string
	Class  string
	Values []float64
}

// The drawing, in its own units.
const (
	plotWidth, plotHeight = 440, 170
	plotLeft, plotRight   = 44, 6
	plotTop, plotBottom   = 10, 26
)

// Box is the drawing's viewBox.
func (p plot) Box() string { return fmt.Sprintf("0 0 %d %d", plotWidth, plotHeight) }

// mark is a line of the grid with its label.
type mark struct {
	At, X2 string
	Y      string // of the label
	Label  string
	Anchor string
}

// Left is where the grid begins and Right where it ends.
func (p plot) Left() int  { return plotLeft }
func (p plot) Right() int { return plotWidth - plotRight }
func (p plot) Floor() int { return plotHeight - plotBottom }

// Rows are the horizontal lines of the grid.
func (p plot) Rows() (list []mark) {
	top := p.top()
	for i := range 3 {
		value := top * float64(i) / 2
		y := p.y(value)
		list = append(list, mark{At: coordinate(y), Y: coordinate(y + 4), Label: number(value)})
	}
	return list
}

// Columns are the labels of time.
func (p plot) Columns() []mark {
	if len(p.Ends) == 0 {
		return nil
	}
	last := p.Ends[len(p.Ends)-1]
	return []mark{
		{At: coordinate(plotLeft), Anchor: "start", Label: p.From.UTC().Format(p.Form)},
		{At: coordinate((plotLeft + plotWidth - plotRight) / 2), Anchor: "middle", Label: p.From.Add(last.Sub(p.From) / 2).UTC().Format(p.Form)},
		{At: coordinate(plotWidth - plotRight), Anchor: "end", Label: last.UTC().Format(p.Form)},
	}
}

// top is the upper end of the scale: a round number that all values are below.
func (p plot) top() float64 {
	most := 0.
	for _, l := range p.Lines {
		for _, v := range l.Values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				most = max(most, v)
			}
		}
	}
	if most <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{1, 2, 4, 5, 10} {
		if n*unit >= most {
			return n * unit
		}
	}
	return 10 * unit
}

func (p plot) y(value float64) float64 {
	return plotHeight - plotBottom - value/p.top()*(plotHeight-plotTop-plotBottom)
}

func (p plot) x(at time.Time) float64 {
	whole := p.Ends[len(p.Ends)-1].Sub(p.From).Seconds()
	if whole <= 0 {
		return plotLeft
	}
	return plotLeft + at.Sub(p.From).Seconds()/whole*(plotWidth-plotLeft-plotRight)
}

// Path is a line as the data of an SVG path: a step each, so that a rate is shown for
// the time that it is the mean of.
func (p plot) Path(l line) string {
	var b strings.Builder
	pen := false
	from := p.From
	for i, v := range l.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			pen, from = false, p.Ends[i]
			continue
		}
		command := "L"
		if !pen {
			command, pen = "M", true
		}
		y := coordinate(p.y(v))
		fmt.Fprintf(&b, "%s%s %sH%s", command, coordinate(p.x(from)), y, coordinate(p.x(p.Ends[i])))
		from = p.Ends[i]
	}
	return b.String()
}

func coordinate(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// number is a value with as many digits as say something.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v), math.IsInf(v, 0):
		return "–"
	case a == 0:
		return "0"
	case a < 0.01:
		return strconv.FormatFloat(v, 'g', 1, 64)
	case a < 1:
		return trimmed(v, 2)
	case a < 100:
		return trimmed(v, 1)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func trimmed(v float64, digits int) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', digits, 64), "0"), ".")
}

// Latest is the last value of a line in words.
func (l line) Latest() string {
	if len(l.Values) == 0 {
		return "–"
	}
	return number(l.Values[len(l.Values)-1])
}

// tableRow is one step of all lines.
type tableRow struct {
	End    string
	Values []string
}

// Table is the plot in numbers, the newest first.
func (p plot) Table() (rows []tableRow) {
	for i := len(p.Ends) - 1; i >= 0; i-- {
		row := tableRow{End: p.Ends[i].UTC().Format(p.Form)}
		for _, l := range p.Lines {
			row.Values = append(row.Values, number(l.Values[i]))
		}
		rows = append(rows, row)
	}
	return rows
}
