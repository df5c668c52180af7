package apps

import (
	"slices"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
)

// giving is what a form about roles sends: those that it showed as held, and those
// that are chosen.
type giving struct {
	had, chosen []services.Grant
	until       string
	form        ui.Values
}

// givePage is a form about roles. First they are chosen, then it says what that
// changes, and only then it is done.
type givePage struct {
	Heading, About string
	Fields         []ui.Field // to fill beside the roles
	Submit, Cancel string
	Timed          bool // roles can end by themselves
	offer          offer
	trail          []ui.Crumb

	Review         bool
	Hidden         []ui.Field
	Picker         picker
	Until          ui.Field
	Added, Removed []roleView
	Ends           string
	Warnings       []string
	Fault          *problem.Problem
}

// give takes the form of page, and does it once that was reviewed.
func (p Pages) give(s *ui.Screen, page givePage, do func(giving) error) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	g := giving{until: form.Get("until"), form: form}
	for i := range page.Fields {
		page.Fields[i].Value = form.Text(page.Fields[i].Name)
	}
	if g.had, err = parseKeys(form.Values["had"]); err != nil {
		return err
	}
	if g.chosen, err = parseKeys(form.Values["role"]); err != nil {
		return err
	}
	if form.Get("go") != stepMake {
		return p.drawGiving(s, page, g, form.Get("go") == stepReview, nil)
	}
	if err = do(g); err == nil {
		return nil
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawGiving(s, page, g, true, fault)
}

func (p Pages) drawGiving(s *ui.Screen, page givePage, g giving, review bool, fault *problem.Problem) error {
	c, err := p.catalog(s, findOf(g.form))
	if err != nil {
		return err
	}
	page.Review, page.Fault = review, fault
	hide := func(name string, values ...string) {
		for _, v := range values {
			page.Hidden = append(page.Hidden, ui.Field{Kind: ui.Hidden, Name: name, Value: v})
		}
	}
	hide("had", keys(g.had)...)
	if !review {
		page.Picker, page.Until = c.picker(page.offer, g.chosen), until(s, g.until)
	} else {
		hide("role", keys(g.chosen)...)
		hide("until", g.until)
		for _, f := range page.Fields {
			hide(f.Name, f.Value)
		}
		page.compare(s, c, g)
	}
	f := ui.Form{Fault: fault}
	return s.ShowFrame(f.Status(), "apps/give", ui.Frame{D: page, Title: page.Heading, Trail: page.trail})
}

// compare says what is different.
func (page *givePage) compare(s *ui.Screen, c catalog, g giving) {
	added := without(g.chosen, g.had)
	page.Added, page.Removed = c.views(added), c.views(without(g.had, g.chosen))
	page.Warnings = c.warnings(added, g.chosen)
	if page.Timed && len(added) > 0 {
		options := until(s, g.until).Options
		if i := slices.IndexFunc(options, func(o ui.Option) bool { return o.Chosen }); i > 0 {
			page.Ends = options[i].Label
		}
	}
}

// Changes reports whether anything is to be different.
func (page givePage) Changes() bool {
	return len(page.Added)+len(page.Removed) > 0 || len(page.Fields) > 0
}
