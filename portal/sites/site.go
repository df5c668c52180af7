package sites

import (
	"context"
	"strings"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/internal/journal"
	"causeway/portal/ui"
	"causeway/tenants"
)

// held is the association with the site that the address names.
func (p *Pages) held(s *ui.Screen) (federation.SiteAssociation, error) {
	id, err := tenants.ParseID[tenants.SiteID]("site", s.Param("site"))
	if err != nil {
		return federation.SiteAssociation{}, err
	}
	return p.Associations.Site(s.Request.Context(), id)
}

// leaning are the organizations that hold associations with those of a site.
type leaning struct {
	Total, Direct int
	First         []federation.ListedOrgAssociation
}

const fewLeaning = 5

func (p *Pages) leaning(ctx context.Context, id tenants.SiteID) (l leaning, err error) {
	q := tenants.Query{Where: "site_id = ?", Args: []any{string(id)}, Page: 1, PageSize: fewLeaning}
	if l.First, l.Total, err = p.Associations.EveryOrg(ctx, q); err != nil {
		return l, err
	}
	q = tenants.Query{Where: "site_id = ? AND direct = ?", Args: []any{string(id), true}, Page: 1, PageSize: 1}
	_, l.Direct, err = p.Associations.EveryOrg(ctx, q)
	return l, err
}

type sitePage struct {
	link
	URN, NextFingerprint  string
	Ours                  self
	TheirPortal, PeerSays string
	Fix                   string // what an administrator can do about the state
	Leaning               leaning
	History               []event
	ShowHistory, Manage   bool
	Base                  string
}

func (p *Pages) site(s *ui.Screen) error {
	ctx := s.Request.Context()
	a, err := p.held(s)
	if err != nil {
		return err
	}
	page := sitePage{link: p.newLink(s, a, p.known()[a.Site]), URN: tenants.URN("site", a.Site), Manage: s.Can(manageSites...), Base: sitePath(s, a.Site)}
	if page.Ours, err = p.self(s); err != nil {
		return err
	}
	if a.NextKey != "" {
		page.NextFingerprint = associations.Fingerprint(a.NextKey)
	}
	if page.Leaning, err = p.leaning(ctx, a.Site); err != nil {
		return err
	}
	if page.Peer.Theirs != "" {
		page.PeerSays = newState(s, page.Peer.Theirs).Word
	}
	if !page.State.Active() {
		page.Fix = s.T("sites.fix." + strings.ToLower(string(a.Status)))
	}
	page.TheirPortal = a.BaseUIEndpoint + "/provider/multisite/associate"
	if page.ShowHistory = s.Can(auditTrail...); page.ShowHistory {
		if page.History, err = p.history(s, tenants.SystemOrgID, journal.KindSite, string(a.Site), ""); err != nil {
			return err
		}
	}
	return s.ShowFrame(200, "sites/site", ui.Frame{D: page, Title: a.Name, Trail: siteTrail(s)})
}

func (p *Pages) siteCrumbs(s *ui.Screen, a federation.SiteAssociation) []ui.Crumb {
	return append(siteTrail(s), ui.Crumb{Text: a.Name, Path: sitePath(s, a.Site)})
}

func networksForm(s *ui.Screen, a federation.SiteAssociation) ui.Form {
	var lines []string
	for _, n := range a.Allowed {
		lines = append(lines, n.String())
	}
	return ui.Form{
		Submit: s.T("sites.networks.submit"), Cancel: sitePath(s, a.Site),
		Fields: []ui.Field{{Kind: ui.Area, Name: "networks", Label: s.T("sites.networks"), Hint: s.T("sites.networks.hint"), Mono: true, Rows: 5, Value: strings.Join(lines, "\n")}},
	}
}

func (p *Pages) drawNetworks(s *ui.Screen, a federation.SiteAssociation, f ui.Form) error {
	return s.ShowFrame(f.Status(), "sites/form", ui.Frame{
		D: formPage{About: s.T("sites.networks.about"), Form: f}, Title: s.T("sites.networks.title", a.Name), Trail: p.siteCrumbs(s, a),
	})
}

func (p *Pages) showNetworks(s *ui.Screen) error {
	a, err := p.held(s)
	if err != nil {
		return err
	}
	return p.drawNetworks(s, a, networksForm(s, a))
}

func (p *Pages) setNetworks(s *ui.Screen) error {
	a, err := p.held(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	list, err := associations.ParseNetworks(strings.Fields(v.Get("networks")))
	if err == nil {
		_, err = p.Associations.SetAllowed(s.Request.Context(), s.By(), a.Site, list)
	}
	if err == nil {
		return s.Done(sitePath(s, a.Site), "sitenetworks")
	}
	f := networksForm(s, a)
	if err := s.Refused(&f, v, err); err != nil {
		return err
	}
	return p.drawNetworks(s, a, f)
}
