package people

import (
	"net/http"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// draft is a role, global role or rights bundle while somebody makes it or changes
// it: what it was, what is chosen, and what can be. It lives in the form alone.
type draft struct {
	Title, Submit, Cancel string
	Trail                 []ui.Crumb
	Publication           bool

	Before  tenants.RoleText
	Stored  []tenants.Right // of what it was; none of a new one
	Seen    string          // its version; empty for a new one
	Offered tenants.RightSet
	Own     tenants.RightSet // of whoever looks

	Text   tenants.RoleText
	Chosen []tenants.Right
	All    bool // publish to all, of a new publication

	Notes []string // what to know while choosing
	// Effects say what saving it means for whom.
	Effects func(difference) ([]string, error)
	Save    func(draft) (done func() error, err error)
}

// The steps of a draft, as the button says that was pressed.
const (
	stepSave = "save"
	stepBack = "back"
)

type draftPage struct {
	draft
	Form ui.Form // the fields of its text; and what was wrong
	Tree tree
}

type reviewPage struct {
	draft
	Fault   *problem.Problem
	Diff    difference
	Texts   []retitled
	Along   []along
	Dropped int
	Says    []string
	IDs     []string // of the rights to save
	New     bool
}

func (d draft) before() tenants.RightSet { return tenants.SetOf(d.Stored...) }

// can are the rights that whoever looks can choose.
func (d draft) can() tenants.RightSet { return d.Offered.Intersect(d.Own) }

// show draws the form.
func (d draft) show(s *ui.Screen, fault *problem.Problem) error {
	page := draftPage{draft: d, Tree: choice(s, d.Offered, d.Own, tenants.SetOf(d.Chosen...))}
	page.Form.Fields = []ui.Field{
		{Name: "name", Label: s.T("roles.name"), Value: d.Text.Name, Required: true, Max: tenants.MaxName},
		{Name: "description", Label: s.T("roles.description"), Value: d.Text.Description, Max: 1000},
	}
	if d.Publication && d.Seen == "" {
		page.Form.Fields = append(page.Form.Fields, ui.Field{
			Name: "all", Kind: ui.Box, Label: s.T("publications.all"), Hint: s.T("publications.all.hint"), Checked: d.All,
		})
	}
	if fault != nil {
		page.Form.Blame(fault)
	}
	return s.ShowFrame(page.Form.Status(), "people/draft", ui.Frame{D: page, Title: d.Title, Trail: d.Trail})
}

// review shows what saving it changes, before it is saved.
func (d draft) review(s *ui.Screen, fault *problem.Problem) error {
	chosen := tenants.SetOf(d.Chosen...)
	all := completed(chosen, d.can())
	page := reviewPage{draft: d, Fault: fault, Along: alongWith(chosen, all), New: d.Seen == "", Texts: retitles(s, d.Before, d.Text)}
	// What was stored and is not available here is not named, as it is nowhere else.
	page.Diff = differ(d.before().Intersect(d.Offered), all)
	page.Dropped = d.before().Minus(d.Offered).Len()
	for _, info := range all.Infos() {
		page.IDs = append(page.IDs, info.ID())
	}
	var err error
	if page.Says, err = d.Effects(page.Diff); err != nil {
		return err
	}
	status := http.StatusOK
	if fault != nil {
		status = fault.Code.Row().Status
	}
	return s.ShowFrame(status, "people/review", ui.Frame{D: page, Title: s.T("roles.review.title", d.Title), Trail: d.Trail})
}

// Changes reports whether there is anything to save.
func (r reviewPage) Changes() bool {
	return r.New || r.Diff.Any() || len(r.Texts) > 0 || r.Dropped > 0
}

// take reads what was sent: the form, or the review of it.
func (d draft) take(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	d.Text.Name, d.Text.Description = form.Text("name"), form.Text("description")
	d.Chosen, d.All = chosenRights(form), form.Is("all")
	if err := d.refuse(s); err != nil {
		return d.blame(s, err)
	}
	step := form.Get("step")
	switch seen := form.Get("seen"); {
	case step == stepBack:
		return d.show(s, nil)
	case step == stepSave && seen != d.Seen:
		return d.review(s, problem.New(problem.Conflict, "%s", s.T("roles.meanwhile")))
	case step != stepSave:
		return d.review(s, nil)
	}
	done, err := d.Save(d)
	if err != nil {
		return d.blame(s, err)
	}
	return done()
}

// blame shows the form again with what was wrong.
func (d draft) blame(s *ui.Screen, err error) error {
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return d.show(s, fault)
}

// refuse says early what saving would refuse.
func (d draft) refuse(s *ui.Screen) error {
	if !tenants.ValidName(d.Text.Name) {
		return problem.New(problem.BadRequest, "%s", s.T("roles.noname", tenants.MaxName)).In("name")
	}
	for _, right := range d.Chosen {
		switch {
		case !d.Offered.Has(right):
			return problem.New(problem.BadRequest, "%s", s.T("rights.unknown", right))
		case !d.Own.Has(right):
			return problem.New(problem.Forbidden, "%s", s.T("rights.cannotgive", right))
		}
	}
	return nil
}
