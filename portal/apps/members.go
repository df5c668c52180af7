package apps

import (
	"net/http"
	"slices"
	"time"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	domain "causeway/oauth/apps"
	"causeway/portal/ui"
	"causeway/services"
)

type membersPage struct {
	List *ui.List
	Apps []memberRow
	Most int
}

// memberRow is an app that has, or had, roles in the organization.
type memberRow struct {
	Client, Name, Source string
	Own                  bool
	Roles                []roleView
	More                 int // roles that are not among these
	AddedAt              time.Time
	AddedBy              string
}

func (p Pages) members(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{Fields: memberFields, Search: []string{"name", "client"}})
	if err != nil {
		return err
	}
	l.SearchLabel = s.T("apps.access.search")
	c, err := p.catalog(s, "")
	if err != nil {
		return err
	}
	list, total, err := p.Apps.Members(s.Request.Context(), s.By(), s.Org().ID, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	page := membersPage{List: l, Most: domain.MostRemoved}
	for _, m := range list {
		row, err := p.row(s, c, m)
		if err != nil {
			return err
		}
		page.Apps = append(page.Apps, row)
	}
	return s.Show("apps/members", "apps.access.title", page)
}

// mostShown is how many roles a list shows of each app.
const mostShown = 8

func (p Pages) row(s *ui.Screen, c catalog, m domain.Member) (memberRow, error) {
	source, err := p.source(s, m.Held)
	roles := slices.DeleteFunc(c.held(m.Held, p.Now()), func(v roleView) bool { return v.Over })
	few := roles[:min(len(roles), mostShown)]
	return memberRow{
		Client: domain.ClientName(m.Holder), Name: nameOf(m.Held), Source: source, Own: m.Owner == s.Org().ID,
		Roles: few, More: len(roles) - len(few), AddedAt: m.AddedAt, AddedBy: m.AddedBy,
	}, err
}

func nameOf(h services.Held) string {
	if h.Name != "" {
		return h.Name
	}
	return domain.ClientName(h.Holder)
}

// source is who owns an app: an organization of this site, or another site, of which
// no more is known.
func (p Pages) source(s *ui.Screen, h services.Held) (string, error) {
	switch {
	case h.Site != "":
		return s.T("apps.access.othersite", h.Site), nil
	case h.Owner == s.Org().ID:
		return s.T("apps.access.own"), nil
	}
	owner, err := p.Orgs.Organization(s.Request.Context(), h.Owner)
	if problem.Has(err, problem.NotFound) { // deleted this moment, with its apps
		return string(h.Owner), nil
	}
	if err != nil {
		return "", err
	}
	return owner.Name, nil
}

func accessTrail(s *ui.Screen, h *services.Held) []ui.Crumb {
	way := []ui.Crumb{{Text: s.T("apps.access.title"), Path: s.Path(accessPath)}}
	if h != nil {
		way = append(way, ui.Crumb{Text: nameOf(*h), Path: s.Path(accessPath, domain.ClientName(h.Holder))})
	}
	return way
}

func (p Pages) memberOf(s *ui.Screen) (services.Held, error) {
	return p.Apps.AppRoles(s.Request.Context(), s.By(), s.Org().ID, s.Param("client"))
}

type memberPage struct {
	Client, Name, Source     string
	Own                      bool
	Roles                    []roleView
	RolesAt, DropAt, OwnerAt string
}

func (p Pages) member(s *ui.Screen) error {
	h, err := p.memberOf(s)
	if err != nil {
		return err
	}
	c, err := p.catalog(s, "")
	if err != nil {
		return err
	}
	client := domain.ClientName(h.Holder)
	page := memberPage{
		Client: client, Name: nameOf(h), Own: h.Owner == s.Org().ID, Roles: c.held(h, p.Now()),
		RolesAt: s.Path(accessPath, client, "roles"), DropAt: s.Path(accessPath, "drop") + "?client=" + client, OwnerAt: s.Path(appsPath, h.ID),
	}
	if page.Source, err = p.source(s, h); err != nil {
		return err
	}
	return s.ShowFrame(http.StatusOK, "apps/member", ui.Frame{D: page, Title: s.T("apps.member.title", page.Name), Trail: accessTrail(s, nil)})
}

// live are the roles that count now.
func live(list []services.Grant, now time.Time) (some []services.Grant) {
	for _, g := range list {
		if g.Live(now) {
			some = append(some, g)
		}
	}
	return some
}

func (p Pages) showMemberRoles(s *ui.Screen) error {
	h, err := p.memberOf(s)
	if err != nil {
		return err
	}
	list := live(h.Grants, p.Now())
	return p.drawGiving(s, memberRolesPage(s, h), giving{had: list, chosen: list}, false, nil)
}

func memberRolesPage(s *ui.Screen, h services.Held) givePage {
	return givePage{
		Heading: s.T("apps.roles.title", nameOf(h), s.Org().Name), About: s.T("apps.roles.about"), Submit: s.T("apps.roles.submit"), Timed: true,
		Cancel: s.Path(accessPath, domain.ClientName(h.Holder)), offer: offer{organization: true, custom: true}, trail: accessTrail(s, &h),
	}
}

func (p Pages) changeMemberRoles(s *ui.Screen) error {
	h, err := p.memberOf(s)
	if err != nil {
		return err
	}
	client := domain.ClientName(h.Holder)
	return p.give(s, memberRolesPage(s, h), func(g giving) error {
		ends, err := p.end(g.until)
		if err != nil {
			return err
		}
		change := difference(g.had, g.chosen, live(h.Grants, p.Now()), ends)
		if _, err := p.Apps.ChangeRoles(s.Request.Context(), s.By(), s.Org().ID, client, change); err != nil {
			return err
		}
		return s.Done(s.Path(accessPath, client), "approles")
	})
}

func addPage(s *ui.Screen, client string) givePage {
	return givePage{
		Heading: s.T("apps.add.title", s.Org().Name), About: s.T("apps.add.about"), Submit: s.T("apps.add.submit"), Timed: true,
		Cancel: s.Path(accessPath), offer: offer{organization: true, custom: true}, trail: accessTrail(s, nil),
		Fields: []ui.Field{{Name: "client", Label: s.T("apps.add.client"), Hint: s.T("apps.add.client.hint"), Value: client, Required: true, Max: 600, Mono: true, Focus: client == ""}},
	}
}

func (p Pages) showAdd(s *ui.Screen) error {
	return p.drawGiving(s, addPage(s, s.Query("client")), giving{}, false, nil)
}

func (p Pages) add(s *ui.Screen) error {
	return p.give(s, addPage(s, ""), func(g giving) error {
		ends, err := p.end(g.until)
		if err != nil {
			return err
		}
		if _, err := p.Apps.AddMembers(s.Request.Context(), s.By(), s.Org().ID, []string{g.form.Text("client")}, ending(g.chosen, ends)); err != nil {
			return err
		}
		return s.Done(s.Path(accessPath), "appadded")
	})
}

func (p Pages) askRemove(s *ui.Screen) error {
	given, err := httpapi.ParseQuery(s.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	return p.drawRemove(s, given["client"], nil)
}

func (p Pages) drawRemove(s *ui.Screen, clients []string, fault *problem.Problem) error {
	clients = chosen(clients)
	if len(clients) == 0 || len(clients) > domain.MostRemoved {
		return problem.New(problem.BadRequest, "%s", s.T("apps.remove.choose", domain.MostRemoved))
	}
	c := ui.Confirm{
		Question: s.Count("apps.remove.question", len(clients), s.Org().Name), Stays: []string{s.T("apps.remove.stays")},
		Form: ui.Form{Submit: s.Count("apps.remove.submit", len(clients)), Cancel: s.Path(accessPath), Fault: fault},
	}
	for _, client := range clients {
		h, err := p.Apps.AppRoles(s.Request.Context(), s.By(), s.Org().ID, client)
		if problem.Has(err, problem.NotFound) && fault != nil { // gone meanwhile
			continue
		}
		if err != nil {
			return err
		}
		c.Ends = append(c.Ends, s.Count("apps.remove.app", len(live(h.Grants, p.Now())), nameOf(h), client))
		c.Form.Fields = append(c.Form.Fields, ui.Field{Kind: ui.Hidden, Name: "client", Value: client})
	}
	if len(c.Ends) == 0 {
		return s.Done(s.Path(accessPath), "appremoved")
	}
	c.Ends = append(c.Ends, s.T("apps.remove.tokens", s.Org().Name))
	return s.Ask(ui.Frame{Title: s.T("apps.remove.title"), Trail: accessTrail(s, nil)}, c)
}

func (p Pages) remove(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	failed, err := p.Apps.RemoveMembers(s.Request.Context(), s.By(), s.Org().ID, chosen(form.Values["client"]))
	if err != nil && len(failed) == 0 {
		return err
	}
	if len(failed) == 0 {
		return s.Done(s.Path(accessPath), "appremoved")
	}
	left, fault := failures(s, "client", failed)
	return p.drawRemove(s, left["client"], fault)
}
