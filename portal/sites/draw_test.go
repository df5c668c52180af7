package sites

import (
	"bytes"
	"fmt"
	"html/template"
	"math"
	"strings"
	"testing"

	"causeway/federation"
	"causeway/tenants"
)

var statuses = []federation.Status{federation.StatusActive, federation.Asymmetric, federation.Unreachable, federation.StatusError}

// some makes sites whose states follow each other.
func some(n int) (list []link) {
	words := map[federation.Status]string{"ACTIVE": "Active", "ASYMMETRIC": "One-sided", "UNREACHABLE": "Unreachable", "ERROR": "Error"}
	for i := range n {
		st := statuses[i%len(statuses)]
		l := link{State: state{Status: st, Word: words[st], Kind: kinds[st]}}
		l.Site, l.Name, l.Status = tenants.SiteID(fmt.Sprint(i)), fmt.Sprintf("site-%d", i), st
		if st == federation.StatusActive {
			l.Latency = fmt.Sprintf("%d ms", 3+i*i)
		}
		list = append(list, l)
	}
	return list
}

func drawn(n int) drawing {
	return draw("west", "Map", some(n), func(l link) string { return "/provider/multisite/sites/" + string(l.Site) })
}

func TestMap_Room(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 12, 13, 20, 24, 25, 400} {
		d := drawn(n)
		if len(d.Nodes)+d.More != n {
			t.Errorf("of %d sites %d are shown and %d told of", n, len(d.Nodes), d.More)
		}
		for i, a := range d.Nodes {
			top, bottom := min(a.Y-18, a.NameY-14), max(a.Y+18, a.StatusY+5)
			if a.X < 75 || a.X > float64(d.Width)-75 || top < 0 || bottom > float64(d.Height) {
				t.Errorf("%d sites: %s at %v, %v is not wholly in %d by %d", n, a.Name, a.X, a.Y, d.Width, d.Height)
			}
			for _, b := range d.Nodes[:i] {
				if math.Abs(a.X-b.X) < 95 && math.Abs(a.StatusY-b.StatusY) < 30 {
					t.Errorf("%d sites: the words of %s and %s are over each other", n, a.Name, b.Name)
				}
			}
		}
	}
}

// What is wrong is on the map however many sites there are.
func TestMap_TroubleFirst(t *testing.T) {
	list := some(4)
	for i := range 400 {
		l := some(1)[0]
		l.Name = fmt.Sprintf("a-%d", i)
		list = append([]link{l}, list...)
	}
	d := draw("west", "Map", list, func(link) string { return "" })
	for _, st := range statuses {
		found := false
		for _, n := range d.Nodes {
			found = found || n.State.Status == st
		}
		if !found {
			t.Errorf("no site is shown as %s", st)
		}
	}
}

// No two states differ by their colour alone.
func TestMap_NotByColourAlone(t *testing.T) {
	seen := map[string]federation.Status{}
	for _, st := range statuses {
		for what, form := range map[string]string{"dash": looks[st].dash, "shape": looks[st].shape, "mark": looks[st].mark} {
			if other, ok := seen[what+form]; ok {
				t.Errorf("%s and %s have the same %s", st, other, what)
			}
			seen[what+form] = st
		}
	}
}

func TestMap_Markup(t *testing.T) {
	list := some(4)
	list[0].Name = `<script>"x"`
	d := draw("we<st", `a "map"`, list, func(link) string { return "/x" })
	page := render(t, d)
	for _, bad := range []string{"<script", "style=", "onload", "javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is in %s", bad, page)
		}
	}
	for _, st := range some(4) {
		if !strings.Contains(page, ">"+st.State.Word+"<") {
			t.Errorf("the state %s is not in words", st.State.Word)
		}
	}
}

func render(t *testing.T, d drawing) string {
	t.Helper()
	set := template.Must(template.New("").Funcs(template.FuncMap{"t": func(key string, _ ...any) string { return key }}).ParseFS(files, "templates/_map.html"))
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "map", d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCut(t *testing.T) {
	for name, want := range map[string]string{"west": "west", "eighteen letters..": "eighteen letters..", "more than eighteen letters": "more than eightee…", "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜ": "ÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜÄÖÜ"} {
		if got := cut(name); got != want {
			t.Errorf("%q became %q", name, got)
		}
	}
}
