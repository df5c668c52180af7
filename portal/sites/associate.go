package sites

import (
	"causeway/federation/associations"
	"causeway/federation/federationhttp"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

func associatePath(s *ui.Screen, more ...string) string {
	return s.Path(append([]string{"multisite", "associate"}, more...)...)
}

func (p *Pages) showAssociate(s *ui.Screen) error {
	return p.drawAssociate(s, uploadForm(s, associatePath(s), sitesPath(s), s.T("sites.associate.hint")))
}

func (p *Pages) drawAssociate(s *ui.Screen, f ui.Form) error {
	return showUpload(s, siteTrail(s), uploadPage{Title: s.T("sites.associate.title"), About: s.T("sites.associate.about"), Steps: steps(s, 0), Form: f})
}

// readSite is what a form brought, judged and not yet trusted.
func (p *Pages) readSite(s *ui.Screen, v ui.Values) (associations.SiteReview, error) {
	text, err := given(s, v)
	if err != nil {
		return associations.SiteReview{}, err
	}
	data, err := federationhttp.ReadSite(text)
	if err != nil {
		return associations.SiteReview{}, err
	}
	return p.Associations.ReviewSite(s.Request.Context(), data)
}

func (p *Pages) reviewSite(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	found, err := p.readSite(s, v)
	if err != nil {
		return p.refuseSite(s, v, err)
	}
	return p.drawReview(s, found, document(v), nil)
}

// refuseSite shows what is wrong with a document, and the document.
func (p *Pages) refuseSite(s *ui.Screen, v ui.Values, err error) error {
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawAssociate(s, again(uploadForm(s, associatePath(s), sitesPath(s), s.T("sites.associate.hint")), v, fault))
}

func (p *Pages) drawReview(s *ui.Screen, found associations.SiteReview, text string, fault *problem.Problem) error {
	own, err := p.self(s)
	if err != nil {
		return err
	}
	page := reviewPage{
		Title: s.T("sites.review.title", found.Name), About: s.T("sites.review.about"), Steps: steps(s, 1),
		Facts: []fact{
			{s.T("sites.name"), found.Name, false}, {s.T("sites.id"), tenants.URN("site", found.Site), true},
			{s.T("sites.rest"), found.RestEndpoint, true}, {s.T("sites.ui"), found.BaseUIEndpoint, true},
		},
		TheirsLabel: s.T("sites.review.theirs", found.Name), Theirs: associations.Fingerprint(found.Key()),
		OursLabel: s.T("sites.review.ours"), Ours: own.Fingerprint,
		Form: trustForm(s, associatePath(s, "confirm"), associatePath(s), text),
	}
	if found.Held != nil {
		page.Warning = s.T("sites.review.held", found.Held.Name)
	}
	page.Form.Fault = fault
	return showReview(s, siteTrail(s), page)
}

func (p *Pages) associateSite(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	found, err := p.readSite(s, v)
	if err != nil {
		return p.refuseSite(s, v, err)
	}
	if err = compared(s, v); err == nil {
		_, err = p.Associations.AssociateSite(s.Request.Context(), s.By(), found.SiteData)
	}
	if err == nil {
		return s.Done(sitePath(s, found.Site), "siteassociated")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawReview(s, found, document(v), fault)
}
