package apps

import (
	"net/http"

	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
	"causeway/services"
)

// The steps of making an app; what a button sends says which is next.
const (
	stepAbout  = "about"
	stepRoles  = "roles"
	stepReview = "review"
	stepMake   = "make"
)

type newPage struct {
	Step     string
	Steps    []string
	Draft    draft
	Hidden   []ui.Field
	Form     ui.Form // of the first step
	Fault    *problem.Problem
	Picker   picker
	Place    ui.Field
	Until    ui.Field
	Life     string
	Ends     string
	Roles    []roleView
	Warnings []string
	Cancel   string
}

func (p Pages) startApp(s *ui.Screen) error {
	return p.drawDraft(s, stepAbout, draft{Life: defaultLife}, nil)
}

// makeApp takes each step. What is wrong is said on the step that it was said on.
func (p Pages) makeApp(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	d, err := parseDraft(form)
	if err != nil {
		return p.faultyDraft(s, stepRoles, d, err)
	}
	to := form.Get("go")
	if to == stepAbout {
		return p.drawDraft(s, stepAbout, d, nil)
	}
	d = d.whole()
	if err := d.draft().Check(); err != nil {
		return p.faultyDraft(s, stepAbout, d, err)
	}
	if to == stepRoles {
		return p.drawDraft(s, stepRoles, d, nil)
	}
	if err := d.check(s); err != nil {
		return p.faultyDraft(s, stepRoles, d, err)
	}
	if to != stepMake {
		return p.drawDraft(s, stepReview, d, nil)
	}
	return p.create(s, d)
}

func (p Pages) faultyDraft(s *ui.Screen, step string, d draft, err error) error {
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawDraft(s, step, d, fault)
}

func (p Pages) drawDraft(s *ui.Screen, step string, d draft, fault *problem.Problem) error {
	page := newPage{
		Step: step, Steps: []string{stepAbout, stepRoles, stepReview}, Draft: d, Hidden: d.hidden(step), Fault: fault,
		Cancel: s.Path(appsPath),
	}
	c, err := p.catalog(s, d.Find)
	if err != nil {
		return err
	}
	switch step {
	case stepAbout:
		page.Form = p.aboutForm(s, d, page.Hidden, fault)
	case stepRoles:
		page.Picker = c.picker(offer{organization: true, custom: true}, d.Roles)
		page.Place, page.Until = placeField(s, d.Place, fault), until(s, d.Until)
	default:
		page.Life, page.Roles, page.Warnings = span(s, d.Life), c.views(d.Roles), c.warnings(d.Roles, d.Roles)
		if len(d.Roles) == 0 {
			page.Warnings = append(page.Warnings, s.T("apps.warn.none"))
		}
		for _, o := range until(s, d.Until).Options {
			if o.Chosen {
				page.Ends = o.Label
			}
		}
	}
	status := (&ui.Form{Fault: fault}).Status()
	return s.ShowFrame(status, "apps/new", ui.Frame{D: page, Title: s.T("apps.new.title"), Trail: trail(s, nil)})
}

func (p Pages) aboutForm(s *ui.Screen, d draft, hidden []ui.Field, fault *problem.Problem) ui.Form {
	f := ui.Form{Submit: s.T("apps.new.toroles"), Cancel: s.Path(appsPath), Fields: append(hidden,
		ui.Field{Kind: ui.Hidden, Name: "go", Value: stepRoles},
		ui.Field{Name: "displayName", Label: s.T("apps.name"), Hint: s.T("apps.name.hint"), Value: d.Name, Required: true, Max: 255, Focus: true},
		ui.Field{Kind: ui.Area, Name: "description", Label: s.T("apps.description"), Hint: s.T("apps.description.hint"), Value: d.About, Max: 1024, Rows: 3},
		ui.Field{Kind: ui.Choice, Name: "accessTokenTTL", Label: s.T("apps.life"), Hint: s.T("apps.life.hint"), Options: spans(s, lives, d.Life, ""), Required: true},
	)}
	if s.Can(ownerRight...) {
		f.Fields = append(f.Fields, ui.Field{Kind: ui.Box, Name: "ownerOnly", Label: s.T("apps.owneronly"), Hint: s.T("apps.owneronly.hint"), Checked: d.OwnerOnly})
	}
	if fault != nil {
		f.Blame(fault)
	}
	return f
}

func placeField(s *ui.Screen, chosen string, fault *problem.Problem) ui.Field {
	f := ui.Field{Kind: ui.Radio, Name: "place", Label: s.T("apps.place"), Required: true, Options: []ui.Option{
		{Value: placeHere, Label: s.T("apps.place.here", s.Org().Name), Hint: s.T("apps.place.here.hint"), Chosen: chosen == placeHere},
		{Value: placeLater, Label: s.T("apps.place.later"), Hint: s.T("apps.place.later.hint"), Chosen: chosen == placeLater},
	}}
	if fault != nil && fault.Field == f.Name {
		f.Error = fault.Detail
	}
	return f
}

// create makes the app and shows its secret, in this answer alone. The id was made
// with the form: to send it again finds the app made, and makes no other.
func (p Pages) create(s *ui.Screen, d draft) error {
	ctx := s.Request.Context()
	ends, err := p.end(d.Until)
	if err != nil {
		return p.faultyDraft(s, stepRoles, d, err)
	}
	a, secret, err := p.Apps.Create(ctx, s.By(), s.Org().ID, d.draft())
	if problem.Has(err, problem.Conflict) {
		if made, found := p.Apps.Get(ctx, s.By(), s.Org().ID, domain.ID(d.ID)); found == nil {
			return p.showTwice(s, made)
		}
	}
	if err != nil {
		return p.faultyDraft(s, stepReview, d, err)
	}
	page := issuedPage{App: a, Secret: secret.Reveal(), Made: true, Here: d.Place == placeHere}
	if page.Here {
		page.Fault = p.notAdded(s, a, ending(d.Roles, ends))
	}
	return p.showIssued(s, http.StatusOK, page)
}

// ownerRight makes people Organization Owners.
var ownerRight = manage[:1]

// notAdded is why an app could not be added, if so. It is made all the same, and its
// secret must be shown whatever became of this.
func (p Pages) notAdded(s *ui.Screen, a domain.App, roles []services.Grant) *problem.Problem {
	_, err := p.Apps.AddMembers(s.Request.Context(), s.By(), s.Org().ID, []string{string(a.ID)}, roles)
	if err == nil {
		return nil
	}
	if fault, err := s.Fault(err); err == nil {
		return fault
	}
	return problem.Wrap(err, problem.Internal, s.T("apps.made.notadded.internal"))
}
