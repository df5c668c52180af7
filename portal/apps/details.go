package apps

import (
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

type appPage struct {
	App     domain.App
	Life    string
	Overlap string // empty: the operator's
	Old     time.Time
	Bounds  []roleView
	Here    bool // added to this organization
	Roles   []roleView
	Abroad  string // how other sites name it
	Call    string
	History []historyRow
	Audit   bool // the history may be seen
	Rotated time.Time
	Links   appLinks
}

type appLinks struct{ Edit, Bounds, Regenerate, Rotate, EndOverlap, Drop, Access, Roles, Add string }

// historyRow is a line of the journal about an app.
type historyRow struct {
	What string
	At   time.Time
	By   string
	Note string
}

func (p Pages) app(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	c, err := p.catalog(s, "")
	if err != nil {
		return err
	}
	id := string(a.ID)
	page := appPage{
		App: a, Life: span(s, a.AccessTTL), Old: a.Secret.Rotating(p.Now()), Bounds: c.views(bounds(a.Ceiling)),
		Abroad: id + "@" + p.SiteName(), Call: p.tokenCall(id), Links: linksOf(s, id),
	}
	if a.RotationOverlap > 0 {
		page.Overlap = span(s, a.RotationOverlap)
	}
	held, err := p.Apps.AppRoles(s.Request.Context(), s.By(), s.Org().ID, id)
	switch {
	case problem.Has(err, problem.NotFound):
	case err != nil:
		return err
	default:
		page.Here, page.Roles = true, c.held(held, p.Now())
	}
	if err := p.history(s, &page); err != nil {
		return err
	}
	return s.ShowFrame(200, "apps/app", ui.Frame{D: page, Title: a.DisplayName, Trail: trail(s, nil)})
}

func linksOf(s *ui.Screen, id string) appLinks {
	at := func(what string) string { return s.Path(appsPath, id, what) }
	return appLinks{
		Edit: at("edit"), Bounds: at("bounds"), Regenerate: at("regenerate"), Rotate: at("rotate"), EndOverlap: at("end-overlap"),
		Drop: s.Path(appsPath, "drop") + "?app=" + id, Access: s.Path(accessPath, id), Roles: s.Path(accessPath, id, "roles"),
		Add: s.Path(accessPath, "add") + "?client=" + id,
	}
}

// mostHistory is how much of its journal a page shows.
const mostHistory = 10

// history is what the organization's journal says of an app, for who may read it.
func (p Pages) history(s *ui.Screen, page *appPage) error {
	if page.Audit = s.Can(readAudit...); !page.Audit {
		return nil
	}
	rows, _, err := p.Tenants.Audit(s.Request.Context(), s.Org().ID, tenants.Query{
		Page: 1, PageSize: mostHistory, Where: "subject_kind = ? AND subject_id = ?", Args: []any{journal.KindApp, string(page.App.ID)},
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		what := "apps.did." + string(r.Action)
		page.History = append(page.History, historyRow{What: s.T(what), At: r.At, By: r.Actor.Name, Note: r.Detail["warning"]})
		renewed := r.Action == journal.AppSecretReplaced || r.Action == journal.AppSecretRotated
		if renewed && page.Rotated.IsZero() {
			page.Rotated = r.At
		}
	}
	return nil
}

func (p Pages) showSettings(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	return p.drawSettings(s, a, settingsForm(s, a))
}

func settingsForm(s *ui.Screen, a domain.App) ui.Form {
	f := ui.Form{Submit: s.T("apps.edit.submit"), Cancel: s.Path(appsPath, string(a.ID)), Fields: []ui.Field{
		{Name: "displayName", Label: s.T("apps.name"), Value: a.DisplayName, Required: true, Max: 255, Focus: true},
		{Kind: ui.Area, Name: "description", Label: s.T("apps.description"), Value: a.Description, Max: 1024, Rows: 3},
		{Kind: ui.Choice, Name: "accessTokenTTL", Label: s.T("apps.life"), Hint: s.T("apps.life.later"), Options: spans(s, lives, a.AccessTTL, ""), Required: true},
		{Kind: ui.Choice, Name: "overlap", Label: s.T("apps.overlap"), Hint: s.T("apps.overlap.hint"), Options: spans(s, overlaps, a.RotationOverlap, s.T("apps.rotate.default")), Required: true},
	}}
	if s.Can(ownerRight...) {
		f.Fields = append(f.Fields, ui.Field{Kind: ui.Box, Name: "ownerOnly", Label: s.T("apps.owneronly"), Hint: s.T("apps.owneronly.hint"), Checked: a.OwnerOnlyRotation})
	}
	return f
}

func (p Pages) drawSettings(s *ui.Screen, a domain.App, f ui.Form) error {
	return s.ShowFrame(f.Status(), "apps/edit", ui.Frame{D: f, Title: s.T("apps.edit.title", a.DisplayName), Trail: trail(s, &a)})
}

func (p Pages) saveSettings(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	_, err = p.Apps.Update(s.Request.Context(), s.By(), s.Org().ID, a.ID, func(c *domain.Change) error {
		c.DisplayName, c.Description = form.Text("displayName"), form.Text("description")
		c.AccessTTL, c.RotationOverlap = seconds(form.Get("accessTokenTTL")), seconds(form.Get("overlap"))
		if s.Can(ownerRight...) {
			c.OwnerOnlyRotation = form.Is("ownerOnly")
		}
		return nil
	})
	if err == nil {
		return s.Done(s.Path(appsPath, string(a.ID)), "appsaved")
	}
	f := settingsForm(s, a)
	if err := s.Refused(&f, form, err); err != nil {
		return err
	}
	return p.drawSettings(s, a, f)
}

// showBounds is the most that organizations can give an app.
func (p Pages) showBounds(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	list := bounds(a.Ceiling)
	return p.drawGiving(s, p.boundsPage(s, a), giving{had: list, chosen: list}, false, nil)
}

func (p Pages) boundsPage(s *ui.Screen, a domain.App) givePage {
	return givePage{
		Heading: s.T("apps.bounds.title", a.DisplayName), About: s.T("apps.bounds.about"), Submit: s.T("apps.bounds.submit"),
		Cancel: s.Path(appsPath, string(a.ID)), offer: offer{organization: true, any: true}, trail: trail(s, &a),
	}
}

func (p Pages) saveBounds(s *ui.Screen) error {
	a, err := p.appOf(s)
	if err != nil {
		return err
	}
	return p.give(s, p.boundsPage(s, a), func(g giving) error {
		_, err := p.Apps.Update(s.Request.Context(), s.By(), s.Org().ID, a.ID, func(c *domain.Change) error {
			general := c.Ceiling.General
			list := append(without(bounds(c.Ceiling), without(g.had, g.chosen)), without(g.chosen, g.had)...)
			c.Ceiling = ceiling(distinct(list))
			c.Ceiling.General = general
			return nil
		})
		if err != nil {
			return err
		}
		return s.Done(s.Path(appsPath, string(a.ID)), "appbounds")
	})
}

// distinct is list with each once.
func distinct(list []services.Grant) (once []services.Grant) {
	for _, g := range list {
		once = append(once, without([]services.Grant{g}, once)...)
	}
	return once
}
