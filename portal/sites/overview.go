package sites

import (
	"causeway/federation"
	"causeway/federation/associations"
	"causeway/federation/federationhttp"
	"causeway/portal/ui"
	"causeway/tenants"
)

// self is this site as it tells others of itself.
type self struct {
	associations.SiteData
	URN, Fingerprint string
}

func (p *Pages) self(s *ui.Screen) (self, error) {
	d, err := p.Associations.LocalSite(s.Request.Context())
	return self{d, tenants.URN("site", d.Site), associations.Fingerprint(d.PublicKey)}, err
}

type overviewPage struct {
	Self   self
	Links  []link
	Map    drawing
	Legend []node
	None   *ui.List // for the part "empty"
	Manage bool
}

func (p *Pages) overview(s *ui.Screen) error {
	own, err := p.self(s)
	if err != nil {
		return err
	}
	list, err := p.links(s.Request.Context(), s)
	if err != nil {
		return err
	}
	page := overviewPage{Self: own, Links: list, None: &ui.List{}, Manage: s.Can(manageSites...)}
	page.Map = draw(own.Name, s.Count("sites.map.label", len(list), own.Name), list, func(l link) string { return sitePath(s, l.Site) })
	page.Legend = legend(states(s))
	return s.Show("sites/overview", "sites.title", page)
}

func states(s *ui.Screen) []state {
	return []state{
		newState(s, federation.StatusActive), newState(s, federation.Asymmetric),
		newState(s, federation.Unreachable), newState(s, federation.StatusError),
	}
}

func sitesPath(s *ui.Screen) string { return s.Path("multisite", "sites") }

func sitePath(s *ui.Screen, id tenants.SiteID, more ...string) string {
	return s.Path(append([]string{"multisite", "sites", string(id)}, more...)...)
}

func siteTrail(s *ui.Screen) []ui.Crumb {
	return []ui.Crumb{{Text: s.T("sites.title"), Path: sitesPath(s)}}
}

// siteData hands out what the other side needs: what the API does.
func (p *Pages) siteData(s *ui.Screen) error {
	d, err := p.Associations.LocalSite(s.Request.Context())
	if err != nil {
		return err
	}
	body, err := federationhttp.SiteDocument(d, p.PublicURL)
	if err != nil {
		return err
	}
	return s.Download("site-"+d.Name+".xml", "application/xml", body)
}

func (p *Pages) showRename(s *ui.Screen) error {
	own, err := p.self(s)
	if err != nil {
		return err
	}
	return p.drawRename(s, renameForm(s, own.Name))
}

func renameForm(s *ui.Screen, name string) ui.Form {
	return ui.Form{
		Submit: s.T("sites.rename.submit"), Cancel: sitesPath(s),
		Fields: []ui.Field{{Name: "name", Label: s.T("sites.name"), Hint: s.T("sites.rename.hint"), Value: name, Required: true, Max: tenants.MaxName, Focus: true}},
	}
}

func (p *Pages) drawRename(s *ui.Screen, f ui.Form) error {
	return s.ShowFrame(f.Status(), "sites/form", ui.Frame{D: formPage{About: s.T("sites.rename.about"), Form: f}, Title: s.T("sites.rename.title"), Trail: siteTrail(s)})
}

func (p *Pages) rename(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	_, err = p.Associations.RenameSite(s.Request.Context(), s.By(), v.Text("name"))
	if err == nil {
		return s.Done(sitesPath(s), "siterenamed")
	}
	f := renameForm(s, "")
	if err := s.Refused(&f, v, err); err != nil {
		return err
	}
	return p.drawRename(s, f)
}

// formPage is a page that is a form.
type formPage struct {
	About string
	Form  ui.Form
}
