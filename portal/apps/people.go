package apps

import (
	"net/http"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

// viewUsers are the rights by which the API lists users.
var viewUsers = []tenants.Right{tenants.RightUserView, tenants.RightUserManage}

type peoplePage struct {
	List   *ui.List
	People []tenants.User
	Own    string // the page of who looks
}

func (p Pages) people(s *ui.Screen) error {
	if !s.Can(viewUsers...) {
		return problem.New(problem.Forbidden, "%s", s.T("apps.people.norights"))
	}
	l, err := s.List(ui.ListOf{Fields: tenants.UserFields, Search: []string{"username", "fullName", "email"}, Sort: "username"})
	if err != nil {
		return err
	}
	l.SearchLabel = s.T("apps.people.search")
	list, total, err := p.Tenants.Users(s.Request.Context(), s.Org().ID, l.Query)
	if err != nil {
		return err
	}
	l.Total = total
	return s.Show("apps/people", "apps.people.title", peoplePage{List: l, People: list})
}

type personPage struct {
	Name         string
	Organization []roleView // by the role that the user has
	Roles        []roleView
	Change       string // empty: who looks may not
}

// userOf is the user of the path and what the user has.
func (p Pages) userOf(s *ui.Screen) (id tenants.UserID, h services.Held, roles []services.OrgRole, err error) {
	if id, err = tenants.ParseID[tenants.UserID]("user", s.Param("user")); err != nil {
		return id, h, nil, problem.Hidden()
	}
	h, roles, err = p.Apps.UserRoles(s.Request.Context(), s.By(), s.Org().ID, id)
	return id, h, roles, err
}

func peopleTrail(s *ui.Screen, h *services.Held) []ui.Crumb {
	way := []ui.Crumb{{Text: s.T("apps.people.title"), Path: s.Path(peoplePath)}}
	if h != nil {
		way = append(way, ui.Crumb{Text: h.Name, Path: s.Path(peoplePath, h.ID)})
	}
	return way
}

func (p Pages) person(s *ui.Screen) error {
	id, h, roles, err := p.userOf(s)
	if err != nil {
		return err
	}
	c, err := p.catalog(s, "")
	if err != nil {
		return err
	}
	page := personPage{Name: h.Name, Roles: c.held(h, p.Now())}
	for _, r := range roles {
		page.Organization = append(page.Organization, c.view(services.Grant{Kind: services.GrantOrganization, Role: string(r)}))
	}
	if s.Can(giveRoles...) {
		page.Change = s.Path(peoplePath, string(id), "roles")
	}
	return s.ShowFrame(http.StatusOK, "apps/person", ui.Frame{D: page, Title: s.T("apps.person.title", h.Name), Trail: peopleTrail(s, nil)})
}

func (p Pages) personPage(s *ui.Screen, id tenants.UserID, h services.Held) givePage {
	return givePage{
		Heading: s.T("apps.person.roles", h.Name), About: s.T("apps.person.about"), Submit: s.T("apps.roles.submit"), Timed: true,
		Cancel: s.Path(peoplePath, string(id)), offer: offer{custom: true}, trail: peopleTrail(s, &h),
	}
}

func (p Pages) showPersonRoles(s *ui.Screen) error {
	id, h, _, err := p.userOf(s)
	if err != nil {
		return err
	}
	list := live(h.Grants, p.Now())
	return p.drawGiving(s, p.personPage(s, id, h), giving{had: list, chosen: list}, false, nil)
}

func (p Pages) changePersonRoles(s *ui.Screen) error {
	id, h, _, err := p.userOf(s)
	if err != nil {
		return err
	}
	return p.give(s, p.personPage(s, id, h), func(g giving) error {
		ends, err := p.end(g.until)
		if err != nil {
			return err
		}
		change := difference(g.had, g.chosen, live(h.Grants, p.Now()), ends)
		if _, err := p.Apps.ChangeUserRoles(s.Request.Context(), s.By(), s.Org().ID, id, change); err != nil {
			return err
		}
		return s.Done(s.Path(peoplePath, string(id)), "peopleroles")
	})
}
