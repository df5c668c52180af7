package people

import (
	"context"
	"net/http"
	"strings"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

func (p publications) publishing() []ui.Page {
	one := p.path + "/:id"
	all := p.all(p.Tenants.PublishAll, "publishall", "publishedtoall")
	none := p.all(p.Tenants.UnpublishAll, "unpublishall", "unpublishedfromall")
	return []ui.Page{
		{Path: one + "/publish", Rights: p.edit, Do: p.askPublish},
		{Method: http.MethodPost, Path: one + "/publish", Rights: p.edit, Do: p.publish},
		{Path: one + "/unpublish", Rights: p.edit, Do: p.askUnpublish},
		{Method: http.MethodPost, Path: one + "/unpublish", Rights: p.edit, Do: p.unpublish},
		{Path: one + "/publish-all", Rights: p.edit, Do: all.ask},
		{Method: http.MethodPost, Path: one + "/publish-all", Rights: p.edit, Do: all.do},
		{Path: one + "/unpublish-all", Rights: p.edit, Do: none.ask},
		{Method: http.MethodPost, Path: one + "/unpublish-all", Rights: p.edit, Do: none.do},
	}
}

// maxNamed bounds how many organizations are named at once.
const maxNamed = 500

type publishPage struct {
	X        tenants.Publication
	Form     ui.Form
	Reviewed bool
	New, Old []string // organizations that it comes to, and that have it already
	Names    string
	Effect   string
	At       string
}

func (p publications) publishForm(s *ui.Screen, x tenants.Publication) ui.Form {
	return ui.Form{
		Submit: s.T("publications.look"), Cancel: p.at(s, x),
		Fields: []ui.Field{{
			Name: "orgs", Kind: ui.Area, Rows: 6, Required: true, Focus: true,
			Label: s.T("publications.names"), Hint: s.T("publications.names.hint", maxNamed),
		}},
	}
}

func (p publications) askPublish(s *ui.Screen) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	return p.showPublish(s, publishPage{X: x, Form: p.publishForm(s, x)})
}

func (p publications) showPublish(s *ui.Screen, page publishPage) error {
	page.At = p.at(s, page.X)
	return s.ShowFrame(page.Form.Status(), "people/publish", ui.Frame{
		D: page, Title: s.T("publications.publish.title", page.X.Name), Trail: p.trail(s, page.X),
	})
}

// publish looks the organizations up first and says what changes; when that was
// seen, it publishes.
func (p publications) publish(s *ui.Screen) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	form, err := s.Form()
	if err != nil {
		return err
	}
	page := publishPage{X: x, Form: p.publishForm(s, x), Names: form.Get("orgs"), Effect: s.T(p.key + "publish.effect")}
	page.Form.Fill(form)
	orgs, err := p.named(s, page.Names)
	if err == nil && form.Get("step") == stepSave {
		if err = p.Tenants.Publish(s.Request.Context(), s.By(), p.kind, x.ID, idsOf(orgs)); err == nil {
			return s.Done(p.at(s, x), "published")
		}
	}
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		page.Form.Blame(fault)
		return p.showPublish(s, page)
	}
	if form.Get("step") == stepBack {
		return p.showPublish(s, page)
	}
	for _, o := range orgs {
		has, err := p.has(s.Request.Context(), x, o.ID)
		if err != nil {
			return err
		}
		if has {
			page.Old = append(page.Old, o.Name)
		} else {
			page.New = append(page.New, o.Name)
		}
	}
	page.Reviewed = true
	return p.showPublish(s, page)
}

func idsOf(orgs []*tenants.Snapshot) (ids []tenants.OrgID) {
	for _, o := range orgs {
		ids = append(ids, o.ID)
	}
	return ids
}

// names are the lines of a field, each once.
func names(text string) (list []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		name := strings.TrimSpace(line)
		if folded := tenants.FoldName(name); name != "" && !seen[folded] {
			list, seen[folded] = append(list, name), true
		}
	}
	return list
}

// named looks tenants up by their names, one in each line.
func (p publications) named(s *ui.Screen, text string) (orgs []*tenants.Snapshot, err error) {
	list := names(text)
	switch {
	case len(list) == 0:
		return nil, problem.New(problem.BadRequest, "%s", s.T("publications.nonames")).In("orgs")
	case len(list) > maxNamed:
		return nil, problem.New(problem.BadRequest, "%s", s.T("publications.toomany", maxNamed)).In("orgs")
	}
	var unknown []string
	for _, name := range list {
		org, err := p.Orgs.ByName(s.Request.Context(), name)
		switch {
		case problem.Has(err, problem.NotFound):
			unknown = append(unknown, name)
		case err != nil:
			return nil, err
		case org.System():
			return nil, problem.New(problem.BadRequest, "%s", s.T("publications.system", org.Name)).In("orgs")
		default:
			orgs = append(orgs, org)
		}
	}
	if len(unknown) > 0 {
		return nil, problem.New(problem.BadRequest, "%s", s.T("publications.unknown", strings.Join(unknown, ", "))).In("orgs")
	}
	return orgs, nil
}

// has reports whether it is published to an organization.
func (p publications) has(ctx context.Context, x tenants.Publication, org tenants.OrgID) (bool, error) {
	_, n, err := p.Tenants.PublicationTenants(ctx, p.kind, x.ID, one("id = ?", string(org)))
	return n > 0, err
}

// target is the organization from which it is to be taken.
func (p publications) target(s *ui.Screen) (*tenants.Snapshot, error) {
	id, err := tenants.ParseID[tenants.OrgID]("org", s.Query("org"))
	if err != nil {
		return nil, err
	}
	return p.Orgs.Organization(s.Request.Context(), id)
}

func (p publications) askUnpublish(s *ui.Screen) error { return p.showUnpublish(s, nil) }

func (p publications) showUnpublish(s *ui.Screen, fault *problem.Problem) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	org, err := p.target(s)
	if err != nil {
		return err
	}
	ask := ui.Confirm{
		Question: s.T("publications.unpublish.title", x.Name, org.Name), Stays: []string{s.T("publications.unpublish.stays")},
		Form: ui.Form{Submit: s.T("publications.unpublish"), Cancel: p.at(s, x), Fault: fault},
	}
	if ask.Ends, err = p.loses(s, x, org); err != nil {
		return err
	}
	if x.PublishAll {
		ask.Ends = append(ask.Ends, s.T("publications.unpublish.all"))
	}
	return s.Ask(ui.Frame{Title: ask.Question, Trail: p.trail(s, x)}, ask)
}

// loses says what an organization loses, with figures.
func (p publications) loses(s *ui.Screen, x tenants.Publication, org *tenants.Snapshot) ([]string, error) {
	if p.kind == tenants.GlobalRole {
		h, err := p.holders(s, org.ID, tenants.RoleID(x.ID))
		if err != nil {
			return nil, err
		}
		ends := []string{s.T("globalroles.loses", org.Name)}
		if h.some() {
			ends = append(ends, s.T("globalroles.loses.held", h.words(s)))
		}
		return ends, nil
	}
	lost, err := p.Tenants.Withdrawal(s.Request.Context(), x.ID, org.ID)
	if err != nil {
		return nil, err
	}
	if lost.Empty() {
		return []string{s.T("bundles.loses.nothing", org.Name)}, nil
	}
	ends := []string{s.Count("bundles.loses", lost.Len(), org.Name)}
	for _, info := range lost.Infos()[:min(lost.Len(), 12)] {
		ends = append(ends, string(info.Name))
	}
	if more := lost.Len() - 12; more > 0 {
		ends = append(ends, s.Count("bundles.loses.more", more))
	}
	return ends, nil
}

func (p publications) unpublish(s *ui.Screen) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	org, err := p.target(s)
	if err != nil {
		return err
	}
	if err := p.Tenants.Unpublish(s.Request.Context(), s.By(), p.kind, x.ID, []tenants.OrgID{org.ID}); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.showUnpublish(s, fault)
	}
	return s.Done(p.at(s, x), "unpublished")
}

// forAll is a change for every organization at once.
type forAll struct {
	publications
	change func(context.Context, tenants.Caller, tenants.PublicationKind, tenants.PublicationID) error
	what   string // of its texts
	did    string
}

func (p publications) all(change func(context.Context, tenants.Caller, tenants.PublicationKind, tenants.PublicationID) error, what, did string) forAll {
	return forAll{p, change, what, did}
}

func (f forAll) ask(s *ui.Screen) error { return f.show(s, nil) }

func (f forAll) show(s *ui.Screen, fault *problem.Problem) error {
	x, err := f.pathPublication(s)
	if err != nil {
		return err
	}
	_, n, err := f.Tenants.PublicationTenants(s.Request.Context(), f.kind, x.ID, tenants.Query{Page: 1, PageSize: 1})
	if err != nil {
		return err
	}
	key := "publications." + f.what
	ask := ui.Confirm{Question: s.T(key+".title", x.Name), Form: ui.Form{Submit: s.T(key), Cancel: f.at(s, x), Fault: fault}}
	if f.did == "unpublishedfromall" {
		ask.Ends = []string{s.Count(key+".ends", n), s.T(f.key + "unpublishall.ends")}
		ask.Stays = []string{s.T("publications.unpublish.stays")}
	} else {
		ask.Stays = []string{s.Count(key+".stays", n), s.T(f.key + "publish.effect")}
	}
	return s.Ask(ui.Frame{Title: ask.Question, Trail: f.trail(s, x)}, ask)
}

func (f forAll) do(s *ui.Screen) error {
	x, err := f.pathPublication(s)
	if err != nil {
		return err
	}
	if err := f.change(s.Request.Context(), s.By(), f.kind, x.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return f.show(s, fault)
	}
	return s.Done(f.at(s, x), f.did)
}
