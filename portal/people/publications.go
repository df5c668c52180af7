package people

import (
	"net/http"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// publications are the pages of one kind of what the provider publishes.
type publications struct {
	*Pages
	kind       tenants.PublicationKind
	path, key  string // key begins the keys of its texts
	view, edit []tenants.Right
}

func (p *Pages) publicationPages() []ui.Page {
	roles := publications{
		Pages: p, kind: tenants.GlobalRole, path: base + "/global-roles", key: "globalroles.",
		view: []tenants.Right{tenants.RightGlobalRoleView, tenants.RightGlobalRoleEdit}, edit: []tenants.Right{tenants.RightGlobalRoleEdit},
	}
	bundles := publications{
		Pages: p, kind: tenants.RightsBundle, path: base + "/rights-bundles", key: "bundles.",
		view: []tenants.Right{tenants.RightBundleView, tenants.RightBundleEdit}, edit: []tenants.Right{tenants.RightBundleEdit},
	}
	return append(
		roles.pages(ui.Menu{Section: ui.AccessControl, Key: "globalroles", Order: 40, Icon: "globe"}),
		bundles.pages(ui.Menu{Section: ui.AccessControl, Key: "bundles", Order: 50, Icon: "bundle"})...,
	)
}

func (p publications) pages(menu ui.Menu) []ui.Page {
	one := p.path + "/:id"
	list := []ui.Page{
		{Path: p.path, Rights: p.view, Do: p.list, Menu: &menu},
		{Path: p.path + "/new", Rights: p.edit, Do: p.new},
		{Method: http.MethodPost, Path: p.path + "/new", Rights: p.edit, Do: p.create},
		{Path: one, Rights: p.view, Do: p.details},
		{Path: one + "/edit", Rights: p.edit, Do: p.change},
		{Method: http.MethodPost, Path: one + "/edit", Rights: p.edit, Do: p.replace},
		{Path: one + "/delete", Rights: p.edit, Do: p.askDelete},
		{Method: http.MethodPost, Path: one + "/delete", Rights: p.edit, Do: p.remove},
	}
	list = append(list, p.publishing()...)
	for i := range list {
		list[i].In = ui.Provider
	}
	return list
}

type publicationsPage struct {
	List      *ui.List
	Values    []tenants.Publication
	Key, Path string
	New       string
	CanEdit   bool
}

func (p publications) list(s *ui.Screen) error {
	l, err := s.List(ui.ListOf{
		Fields: p.kind.Fields(), Search: []string{"name", "description"}, Sort: "name",
		Filters: []ui.Filter{{Selector: "publishAll", Label: s.T("publications.to"), Options: []ui.Option{
			{Value: "true", Label: s.T("publications.toall")}, {Value: "false", Label: s.T("publications.tosome")},
		}}},
	})
	if err != nil {
		return err
	}
	page := publicationsPage{List: l, Key: p.key, Path: p.path, New: s.Path(p.path, "new"), CanEdit: s.Can(p.edit...)}
	if page.Values, l.Total, err = p.Tenants.Publications(s.Request.Context(), p.kind, l.Query); err != nil {
		return err
	}
	return s.Show("people/publications", p.key+"title", page)
}

// pathPublication is the one that the path names.
func (p publications) pathPublication(s *ui.Screen) (tenants.Publication, error) {
	id, err := tenants.ParseID[tenants.PublicationID](string(p.kind), s.Param("id"))
	if err != nil {
		return tenants.Publication{}, err
	}
	return p.Tenants.Publication(s.Request.Context(), p.kind, id)
}

func (p publications) at(s *ui.Screen, x tenants.Publication, more ...string) string {
	return s.Path(append([]string{p.path, string(x.ID)}, more...)...)
}

func (p publications) trail(s *ui.Screen, of ...tenants.Publication) []ui.Crumb {
	trail := []ui.Crumb{{Text: s.T(p.key + "title"), Path: s.Path(p.path)}}
	for _, x := range of {
		trail = append(trail, ui.Crumb{Text: x.Name, Path: p.at(s, x)})
	}
	return trail
}

type publicationPage struct {
	X       tenants.Publication
	Key, At string
	Why     string // it cannot be changed
	CanEdit bool
	Tree    tree
	List    *ui.List // of those it is published to
	Orgs    []tenants.Organization
	History []change
}

func (p publications) details(s *ui.Screen) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	l, err := s.List(ui.ListOf{Fields: tenants.PublishedToFields, Search: []string{"name"}})
	if err != nil {
		return err
	}
	l.SearchLabel = s.T("publications.searchorg")
	set := tenants.SetOf(x.Rights...)
	page := publicationPage{
		X: x, Key: p.key, At: p.at(s, x), CanEdit: s.Can(p.edit...), List: l,
		Tree: holding(set, set.Intersect(tenants.TenantRights()), tenants.TenantRights()),
	}
	if page.Why, err = p.whyNot(s, x); err != nil {
		return err
	}
	if page.Orgs, l.Total, err = p.Tenants.PublicationTenants(s.Request.Context(), p.kind, x.ID, l.Query); err != nil {
		return err
	}
	kind := journal.KindGlobalRole
	if p.kind == tenants.RightsBundle {
		kind = journal.KindRightsBundle
	}
	if page.History, err = p.history(s, kind, string(x.ID)); err != nil {
		return err
	}
	return s.ShowFrame(http.StatusOK, "people/publication", ui.Frame{D: page, Title: x.Name, Trail: p.trail(s)})
}

// whyNot says why whoever looks cannot change it; empty if they can.
func (p publications) whyNot(s *ui.Screen, x tenants.Publication) (string, error) {
	if x.ReadOnly {
		return s.T("publications.readonly"), nil
	}
	giving, err := p.Tenants.Giving(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return "", err
	}
	if lacking := tenants.SetOf(x.Rights...).Intersect(tenants.TenantRights()).Minus(giving.Own()).List(); len(lacking) > 0 {
		return s.T("roles.why.lacking", string(lacking[0])), nil
	}
	return "", nil
}

func (p publications) newDraft(s *ui.Screen) (draft, error) {
	giving, err := p.Tenants.Giving(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return draft{}, err
	}
	d := draft{
		Title: s.T(p.key + "new"), Submit: s.T(p.key + "create"), Cancel: s.Path(p.path), Trail: p.trail(s), Publication: true,
		Offered: tenants.TenantRights(), Own: giving.Own(), Text: tenants.RoleText{BundleKey: tenants.UndefinedBundleKey},
		Effects: func(difference) ([]string, error) { return []string{s.T(p.key + "new.effect")}, nil },
	}
	d.Save = func(d draft) (func() error, error) {
		x, err := p.Tenants.CreatePublication(s.Request.Context(), s.By(), p.kind, d.Text, d.All, d.Chosen...)
		return func() error { return s.Done(p.at(s, x), "publicationcreated") }, err
	}
	return d, nil
}

func (p publications) new(s *ui.Screen) error {
	d, err := p.newDraft(s)
	if err != nil {
		return err
	}
	return d.show(s, nil)
}

func (p publications) create(s *ui.Screen) error {
	d, err := p.newDraft(s)
	if err != nil {
		return err
	}
	return d.take(s)
}

// changeDraft is what the path names, to be changed; it is an error if whoever looks
// cannot.
func (p publications) changeDraft(s *ui.Screen) (draft, error) {
	d, err := p.newDraft(s)
	if err != nil {
		return d, err
	}
	x, err := p.pathPublication(s)
	if err != nil {
		return d, err
	}
	why, err := p.whyNot(s, x)
	if err != nil {
		return d, err
	}
	if why != "" {
		return d, cannot(why)
	}
	d.Title, d.Submit, d.Cancel = s.T("roles.edit.title", x.Name), s.T(p.key+"save"), p.at(s, x)
	d.Trail, d.Seen, d.Stored = p.trail(s, x), x.Version(), x.Rights
	d.Before = tenants.RoleText{Name: x.Name, Description: x.Description, BundleKey: x.BundleKey}
	d.Text, d.Chosen = d.Before, tenants.SetOf(x.Rights...).Intersect(d.Offered).List()
	d.Effects = func(diff difference) ([]string, error) { return p.effects(s, x, diff) }
	d.Save = func(d draft) (func() error, error) {
		_, err := p.Tenants.ReplacePublication(s.Request.Context(), s.By(), p.kind, x.ID, d.Seen, d.Text, d.Chosen)
		return func() error { return s.Done(p.at(s, x), "publicationsaved") }, err
	}
	return d, nil
}

// effects say what a change of the rights means for the organizations.
func (p publications) effects(s *ui.Screen, x tenants.Publication, diff difference) ([]string, error) {
	if !diff.Any() {
		return []string{s.T("roles.effect.text")}, nil
	}
	_, n, err := p.Tenants.PublicationTenants(s.Request.Context(), p.kind, x.ID, tenants.Query{Page: 1, PageSize: 1})
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return []string{s.T("publications.effect.nobody")}, nil
	}
	says := []string{s.Count(p.key+"effect", n)}
	if diff.Removed.Chosen > 0 {
		says = append(says, s.T(p.key+"effect.removed"))
	}
	return says, nil
}

func (p publications) change(s *ui.Screen) error {
	d, err := p.changeDraft(s)
	if err != nil {
		return err
	}
	return d.show(s, nil)
}

func (p publications) replace(s *ui.Screen) error {
	d, err := p.changeDraft(s)
	if err != nil {
		return err
	}
	return d.take(s)
}

func (p publications) askDelete(s *ui.Screen) error { return p.showDelete(s, nil) }

func (p publications) showDelete(s *ui.Screen, fault *problem.Problem) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	_, n, err := p.Tenants.PublicationTenants(s.Request.Context(), p.kind, x.ID, tenants.Query{Page: 1, PageSize: 1})
	if err != nil {
		return err
	}
	ask := ui.Confirm{
		Question: s.T(p.key+"delete", x.Name), Ends: []string{s.Count(p.key+"delete.ends", n)}, Stays: []string{s.T(p.key + "delete.stays")},
		Form: ui.Form{Submit: s.T(p.key + "delete.submit"), Cancel: p.at(s, x), Fault: fault},
	}
	return s.Ask(ui.Frame{Title: ask.Question, Trail: p.trail(s, x)}, ask)
}

func (p publications) remove(s *ui.Screen) error {
	x, err := p.pathPublication(s)
	if err != nil {
		return err
	}
	if err := p.Tenants.DeletePublication(s.Request.Context(), s.By(), p.kind, x.ID); err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.showDelete(s, fault)
	}
	return s.Done(s.Path(p.path), "publicationdeleted")
}
