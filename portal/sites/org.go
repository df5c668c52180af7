package sites

import (
	"net/http"
	"net/url"
	"strings"

	"causeway/federation/associations"
	"causeway/federation/federationhttp"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// tenantPath is an address in a tenant's portal.
func tenantPath(org string, parts ...string) string {
	var b strings.Builder
	for _, part := range append([]string{"tenant", org}, parts...) {
		b.WriteString("/" + url.PathEscape(part))
	}
	return b.String()
}

// heldOrg is the association that the address names, of the portal's organization.
func (p *Pages) heldOrg(s *ui.Screen) (orgLink, error) {
	location, ok := tenants.ParseLocationID(s.Param("remote"))
	if !ok {
		return orgLink{}, problem.Hidden()
	}
	a, err := p.Associations.Org(s.Request.Context(), s.Org().ID, location)
	return p.newOrgLink(s, a), err
}

func (p *Pages) orgCrumbs(s *ui.Screen, l orgLink) []ui.Crumb {
	return append(orgTrail(s), ui.Crumb{Text: l.RemoteName, Path: l.Path})
}

type orgPage struct {
	orgLink
	LocationID               string
	Ours                     ownOrg
	Routed                   routed // a request that names the organization
	Fix                      string
	History                  []event
	ShowHistory, Manage, Set bool
}

func (p *Pages) org(s *ui.Screen) error {
	l, err := p.heldOrg(s)
	if err != nil {
		return err
	}
	page := orgPage{orgLink: l, LocationID: l.Location().String(), Manage: s.Can(manageOrgs...), Set: s.Can(orgSettings...)}
	if page.Ours, err = p.ownOrg(s); err != nil {
		return err
	}
	e, err := p.Explain(s.Request.Context(), s.Org().Organization, page.LocationID, "")
	if err != nil {
		return err
	}
	page.Routed = newRouted(s, p.SiteName(), e)
	if l.State.Half() {
		page.Fix = s.T("orglinks.fix", l.RemoteName)
	}
	if page.ShowHistory = s.Can(auditTrail...); page.ShowHistory {
		if page.History, err = p.history(s, l.Local, journal.KindOrgAssociation, string(l.Remote), string(l.Site)); err != nil {
			return err
		}
	}
	return s.ShowFrame(http.StatusOK, "sites/org", ui.Frame{D: page, Title: l.RemoteName, Trail: orgTrail(s)})
}

func settingsForm(s *ui.Screen, l orgLink) ui.Form {
	return ui.Form{
		Submit: s.T("orglinks.settings.submit"), Cancel: l.Path,
		Fields: []ui.Field{
			{Kind: ui.Box, Name: "mapUsers", Label: s.T("orglinks.mapusers"), Hint: s.T("orglinks.mapusers.hint", l.RemoteName), Checked: l.MapUsers},
			{Kind: ui.Box, Name: "direct", Label: s.T("orglinks.direct"), Hint: s.T("orglinks.direct.hint", l.RemoteName), Checked: l.Direct},
		},
	}
}

func (p *Pages) drawSettings(s *ui.Screen, l orgLink, f ui.Form) error {
	return s.ShowFrame(f.Status(), "sites/form", ui.Frame{
		D: formPage{About: s.T("orglinks.settings.about"), Form: f}, Title: s.T("orglinks.settings.title", l.RemoteName), Trail: p.orgCrumbs(s, l),
	})
}

func (p *Pages) showSettings(s *ui.Screen) error {
	l, err := p.heldOrg(s)
	if err != nil {
		return err
	}
	return p.drawSettings(s, l, settingsForm(s, l))
}

func (p *Pages) setSettings(s *ui.Screen) error {
	l, err := p.heldOrg(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	set := associations.OrgSettings{MapUsers: v.Is("mapUsers"), Direct: v.Is("direct")}
	if err = p.Associations.SetOrg(s.Request.Context(), s.By(), l.Local, l.Location(), set); err == nil {
		return s.Done(l.Path, "orgsettings")
	}
	f := settingsForm(s, l)
	if err := s.Refused(&f, v, err); err != nil {
		return err
	}
	return p.drawSettings(s, l, f)
}

// orgKeyOf is the key in what was brought for an organization.
func orgKeyOf(s *ui.Screen, l orgLink, v ui.Values) (string, error) {
	text, err := given(s, v)
	if err != nil || bareKey(text) {
		return text, err
	}
	data, err := federationhttp.ReadOrg(text)
	if err == nil && data.Location() != l.Location() {
		err = problem.New(problem.BadRequest, "%s", s.T("sites.key.other", l.RemoteName))
	}
	return data.PublicKey, err
}

func orgKeyForm(s *ui.Screen, l orgLink) ui.Form {
	return uploadForm(s, orgPath(s, l.Location(), "key"), l.Path, s.T("sites.key.hint"))
}

func (p *Pages) drawOrgKey(s *ui.Screen, l orgLink, f ui.Form) error {
	return showUpload(s, p.orgCrumbs(s, l), uploadPage{
		Title: s.T("sites.key.title", l.RemoteName), About: s.T("orglinks.key.about"), Steps: steps(s, 0), Form: f,
	})
}

func (p *Pages) showOrgKey(s *ui.Screen) error {
	l, err := p.heldOrg(s)
	if err != nil {
		return err
	}
	return p.drawOrgKey(s, l, orgKeyForm(s, l))
}

// broughtOrgKey reads what a form brought. Where that is no key the form is shown
// again, and there is none.
func (p *Pages) broughtOrgKey(s *ui.Screen) (l orgLink, v ui.Values, key string, err error) {
	if l, err = p.heldOrg(s); err != nil {
		return l, v, "", err
	}
	if v, err = s.Form(); err != nil {
		return l, v, "", err
	}
	key, err = orgKeyOf(s, l, v)
	if err == nil && associations.Fingerprint(key) == "" {
		err = problem.New(problem.BadRequest, "%s", s.T("sites.key.none"))
	}
	if err == nil {
		return l, v, key, nil
	}
	fault, err := s.Fault(err)
	if err != nil {
		return l, v, "", err
	}
	return l, v, "", p.drawOrgKey(s, l, again(orgKeyForm(s, l), v, fault))
}

func (p *Pages) orgKeyReview(s *ui.Screen, l orgLink, text, key string) reviewPage {
	return keyReview(s, l.RemoteName, l.PublicKey, key, trustForm(s, orgPath(s, l.Location(), "key", "confirm"), orgPath(s, l.Location(), "key"), text))
}

func (p *Pages) reviewOrgKey(s *ui.Screen) error {
	l, v, key, err := p.broughtOrgKey(s)
	if err != nil || key == "" {
		return err
	}
	return showReview(s, p.orgCrumbs(s, l), p.orgKeyReview(s, l, document(v), key))
}

func (p *Pages) replaceOrgKey(s *ui.Screen) error {
	l, v, key, err := p.broughtOrgKey(s)
	if err != nil || key == "" {
		return err
	}
	if err = compared(s, v); err == nil {
		err = p.Associations.ReplaceOrgKey(s.Request.Context(), s.By(), l.Local, l.Location(), key)
	}
	if err == nil {
		return s.Done(l.Path, "orgkey")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	page := p.orgKeyReview(s, l, document(v), key)
	page.Form.Fault = fault
	return showReview(s, p.orgCrumbs(s, l), page)
}

func (p *Pages) askRemoveOrg(s *ui.Screen) error {
	l, err := p.heldOrg(s)
	if err != nil {
		return err
	}
	return p.drawRemoveOrg(s, l, nil)
}

func (p *Pages) drawRemoveOrg(s *ui.Screen, l orgLink, fault *problem.Problem) error {
	c := ui.Confirm{
		Question: s.T("orglinks.remove.title", l.RemoteName),
		Ends:     []string{s.T("orglinks.remove.crossing", s.Org().Name, l.RemoteName)},
		Stays:    []string{s.T("orglinks.remove.theirhalf", l.RemoteName), s.T("orglinks.remove.accounts"), s.T("sites.remove.audit")},
		Form:     ui.Form{Submit: s.T("orglinks.remove.submit"), Cancel: l.Path, Fault: fault},
	}
	if l.Direct {
		c.Ends = append(c.Ends, s.T("orglinks.remove.direct", l.RemoteName))
	}
	return s.Ask(ui.Frame{Title: c.Question, Trail: p.orgCrumbs(s, l)}, c)
}

func (p *Pages) removeOrg(s *ui.Screen) error {
	l, err := p.heldOrg(s)
	if err != nil {
		return err
	}
	_, err = p.Associations.RemoveOrg(s.Request.Context(), s.By(), l.Local, l.Location())
	if err == nil {
		return s.Done(orgsPath(s), "orgremoved")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawRemoveOrg(s, l, fault)
}
