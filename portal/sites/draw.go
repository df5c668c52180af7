package sites

import (
	"math"
	"unicode/utf8"

	"causeway/federation"
)

// drawing is the map: this site in the middle, the others around it. Positions are
// in the units of its view box.
type drawing struct {
	Width, Height int
	X, Y          float64 // of this site
	HereX, HereY  float64 // of the corner of its box
	Here, Label   string
	Few           bool // it need not be wide
	Nodes         []node
	More          int // sites that there was no room for
}

// node is another site and the link to it.
type node struct {
	X, Y       float64
	NameY      float64 // of the name's line; the status has the next
	StatusY    float64
	LX, LY     float64 // of what is written on the link
	Name, Full string
	Path       string
	State      state
	Latency    string
	Dash       string // of the link: each status has another
	Shape      string // around the node, as a path: likewise
	Mark       string // in the shape, as a path
}

const (
	oneRing   = 12 // so many sites stand well around one
	twoRings  = 24
	nameRunes = 18
)

// The shapes of the states and the dashes of their links.
var looks = map[federation.Status]struct{ dash, shape, mark string }{
	federation.StatusActive: {"", "M-15 0a15 15 0 1 0 30 0a15 15 0 1 0 -30 0z", "M-6 0l4 4.500l8 -9"},
	federation.Asymmetric:   {"14 7", "M0 -17L17 0L0 17L-17 0z", "M-6 0h12M2 -4l4 4l-4 4"},
	federation.Unreachable:  {"2 8", "M-14 -14h28v28h-28z", "M-6 -6l12 12M6 -6l-12 12"},
	federation.StatusError:  {"14 6 2 6", "M0 -17L18 14H-18z", "M0 -6v9M0 8v1"},
}

// draw places sites: on one ring, or on two with the outer ones looking through
// the gaps between the inner, or the first of them.
func draw(here, about string, list []link, path func(link) string) drawing {
	d := drawing{Width: 880, Height: 470, Here: cut(here), Label: about}
	list = troubleFirst(list)
	if len(list) > twoRings {
		d.More = len(list) - twoRings
		list = list[:twoRings]
	}
	n := len(list)
	wide, label := 310., .55
	if n > oneRing {
		d.Width, d.Height = 1000, 720
	} else if d.Few = n <= 2; d.Few {
		d.Width, d.Height, wide, label = 520, 170, 185, .72
	}
	d.X, d.Y = float64(d.Width)/2, float64(d.Height)/2
	d.HereX, d.HereY = d.X-85, d.Y-24
	if n <= oneRing {
		for i, l := range list {
			d.add(l, path(l), angle(i, n), wide, 165, label)
		}
		return d
	}
	inner := (n + 2) / 3
	step := math.Pi / float64(inner) // between two places of the outer ring
	for i, l := range list {
		if i < inner {
			d.add(l, path(l), -math.Pi/2+2*step*float64(i), 215, 145, .6)
			continue
		}
		d.add(l, path(l), -math.Pi/2+step*(float64(i-inner)+.5), 400, 290, .8)
	}
	return d
}

// angle is where the i-th of n stands on one ring: two face each other, the first at
// the left, which narrow windows show; more begin
// at the top.
func angle(i, n int) float64 {
	if n <= 2 {
		return math.Pi * float64(i+1)
	}
	return -math.Pi/2 + 2*math.Pi*float64(i)/float64(n)
}

func (d *drawing) add(l link, path string, at, wide, high, label float64) {
	look, known := looks[l.Status]
	if !known {
		look = looks[federation.StatusError]
	}
	dx, dy := wide*math.Cos(at), high*math.Sin(at)
	n := node{
		X: round(d.X + dx), Y: round(d.Y + dy), LX: round(d.X + label*dx), LY: round(d.Y + label*dy + 4),
		Name: cut(l.Name), Full: l.Name, Path: path, State: l.State, Latency: l.Latency,
		Dash: look.dash, Shape: look.shape, Mark: look.mark,
	}
	n.NameY, n.StatusY = n.Y+34, n.Y+50
	if dy < -high/5 { // the words stand outside, where no link goes
		n.NameY, n.StatusY = n.Y-40, n.Y-24
	}
	d.Nodes = append(d.Nodes, n)
}

func round(x float64) float64 { return math.Round(x*10) / 10 }

// cut keeps names as long as there is room for.
func cut(name string) string {
	if utf8.RuneCountInString(name) <= nameRunes {
		return name
	}
	return string([]rune(name)[:nameRunes-1]) + "…"
}

// legend are the looks of the states, for who sees them for the first time.
func legend(states []state) (list []node) {
	for _, st := range states {
		look := looks[st.Status]
		list = append(list, node{State: st, Dash: look.dash, Shape: look.shape, Mark: look.mark})
	}
	return list
}
