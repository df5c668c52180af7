package sites

import (
	"causeway/federation"
	"causeway/federation/associations"
	"causeway/federation/federationhttp"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// orgLink is an association of organizations as the pages show it.
type orgLink struct {
	federation.ListedOrgAssociation
	Fingerprint string
	State       state
	Path        string // of its page, in the portal of the organization that holds it
	Inside      bool   // both are of this site
}

// Since is for the template.
func (l orgLink) Since() bool { return since(l.StatusAt) }

func (p *Pages) newOrgLink(s *ui.Screen, a federation.ListedOrgAssociation) orgLink {
	l := orgLink{ListedOrgAssociation: a, Fingerprint: associations.Fingerprint(a.PublicKey), State: newState(s, a.Status), Inside: a.Site == p.Site}
	l.Path = orgPath(s, a.Location())
	if a.Local != s.Org().ID {
		l.Path = tenantPath(a.LocalName, "multisite", "organizations", a.Location().String())
	}
	return l
}

// ownOrg is the organization as it tells others of itself.
type ownOrg struct {
	associations.OrgData
	URN, LocationID, Fingerprint string
}

func (p *Pages) ownOrg(s *ui.Screen) (ownOrg, error) {
	d, err := p.Associations.LocalOrg(s.Request.Context(), s.Org().Organization)
	return ownOrg{d, tenants.URN("org", d.Org), d.Location().String(), associations.Fingerprint(d.PublicKey)}, err
}

type orgsPage struct {
	Own               ownOrg
	List              *ui.List
	Links             []orgLink
	All, Manage, Tell bool // of all organizations; may associate; may not, but the provider does
}

func orgsPath(s *ui.Screen, more ...string) string {
	return s.Path(append([]string{"multisite", "organizations"}, more...)...)
}

func orgPath(s *ui.Screen, l tenants.LocationID, more ...string) string {
	return orgsPath(s, append([]string{l.String()}, more...)...)
}

func orgTrail(s *ui.Screen) []ui.Crumb {
	return []ui.Crumb{{Text: s.T("orglinks.title"), Path: orgsPath(s)}}
}

// orgs lists those of the organization, and for the provider at home those of all,
// as the API does.
func (p *Pages) orgs(s *ui.Screen) error {
	ctx := s.Request.Context()
	page := orgsPage{All: s.Provider() && s.Can(viewSites...), Manage: s.Can(manageOrgs...) && p.Associations.MayAssociate(s.By())}
	page.Tell = s.Can(manageOrgs...) && !page.Manage
	var err error
	if page.Own, err = p.ownOrg(s); err != nil {
		return err
	}
	if page.List, err = s.List(orgList(s, page.All)); err != nil {
		return err
	}
	var held []federation.ListedOrgAssociation
	if page.All {
		held, page.List.Total, err = p.Associations.EveryOrg(ctx, page.List.Query)
	} else {
		held, page.List.Total, err = p.Associations.Orgs(ctx, s.Org().ID, page.List.Query)
	}
	if err != nil {
		return err
	}
	for _, a := range held {
		page.Links = append(page.Links, p.newOrgLink(s, a))
	}
	return s.Show("sites/orgs", "orglinks.title", page)
}

func orgList(s *ui.Screen, all bool) ui.ListOf {
	of := ui.ListOf{
		Fields: federation.OrgAssociationFields, Search: []string{"org.name", "site.name"}, Sort: "org.name",
		Filters: []ui.Filter{
			{Selector: "status", Label: s.T("sites.status"), Options: []ui.Option{
				{Value: string(federation.StatusActive), Label: newState(s, federation.StatusActive).Word},
				{Value: string(federation.Asymmetric), Label: newState(s, federation.Asymmetric).Word},
			}},
			{Selector: "direct", Label: s.T("orglinks.direct"), Options: []ui.Option{
				{Value: "true", Label: s.T("orglinks.on")}, {Value: "false", Label: s.T("orglinks.off")},
			}},
		},
	}
	if all {
		of.Search = append(of.Search, "localOrg.name")
	}
	return of
}

// orgData hands out what the other organization needs: what the API does.
func (p *Pages) orgData(s *ui.Screen) error {
	d, err := p.Associations.LocalOrg(s.Request.Context(), s.Org().Organization)
	if err != nil {
		return err
	}
	body, err := federationhttp.OrgDocument(d, p.PublicURL)
	if err != nil {
		return err
	}
	return s.Download("organization-"+d.Name+".xml", "application/xml", body)
}

func (p *Pages) showAssociateOrg(s *ui.Screen) error { return p.drawAssociateOrg(s, orgForm(s)) }

func orgForm(s *ui.Screen) ui.Form {
	return uploadForm(s, orgsPath(s, "associate"), orgsPath(s), s.T("orglinks.associate.hint"))
}

func (p *Pages) drawAssociateOrg(s *ui.Screen, f ui.Form) error {
	return showUpload(s, orgTrail(s), uploadPage{
		Title: s.T("orglinks.associate.title"), About: s.T("orglinks.associate.about", s.Org().Name), Steps: steps(s, 0), Form: f,
	})
}

func (p *Pages) readOrg(s *ui.Screen, v ui.Values) (associations.OrgReview, error) {
	text, err := given(s, v)
	if err != nil {
		return associations.OrgReview{}, err
	}
	data, err := federationhttp.ReadOrg(text)
	if err != nil {
		return associations.OrgReview{}, err
	}
	return p.Associations.ReviewOrg(s.Request.Context(), s.By(), s.Org().ID, data)
}

func (p *Pages) refuseOrg(s *ui.Screen, v ui.Values, err error) error {
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawAssociateOrg(s, again(orgForm(s), v, fault))
}

func (p *Pages) reviewOrg(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	found, err := p.readOrg(s, v)
	if err != nil {
		return p.refuseOrg(s, v, err)
	}
	return p.drawOrgReview(s, found, document(v), nil)
}

func (p *Pages) drawOrgReview(s *ui.Screen, found associations.OrgReview, text string, fault *problem.Problem) error {
	own, err := p.ownOrg(s)
	if err != nil {
		return err
	}
	page := reviewPage{
		Title: s.T("orglinks.review.title", found.Name), About: s.T("orglinks.review.about"), Steps: steps(s, 1),
		Facts: []fact{
			{s.T("orglinks.org"), found.Name, false}, {s.T("orglinks.site"), found.SiteName, false},
			{s.T("orglinks.location"), found.Location().String(), true},
		},
		TheirsLabel: s.T("sites.review.theirs", found.Name), Theirs: associations.Fingerprint(found.Key()),
		OursLabel: s.T("orglinks.review.ours", own.Name), Ours: own.Fingerprint,
		Form: trustForm(s, orgsPath(s, "associate", "confirm"), orgsPath(s, "associate"), text),
	}
	page.Form.Submit = s.T("orglinks.review.submit")
	if found.Held != nil {
		page.Warning = s.T("sites.review.held", found.Held.RemoteName)
	}
	page.Form.Fault = fault
	return showReview(s, orgTrail(s), page)
}

func (p *Pages) associateOrg(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	found, err := p.readOrg(s, v)
	if err != nil {
		return p.refuseOrg(s, v, err)
	}
	if err = compared(s, v); err == nil {
		_, err = p.Associations.AssociateOrg(s.Request.Context(), s.By(), s.Org().ID, found.OrgData)
	}
	if err == nil {
		return s.Done(orgPath(s, found.Location()), "orgassociated")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawOrgReview(s, found, document(v), fault)
}
