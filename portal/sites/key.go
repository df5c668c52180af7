package sites

import (
	"strings"

	"causeway/federation"
	"causeway/federation/associations"
	"causeway/federation/federationhttp"
	"causeway/internal/problem"
	"causeway/portal/ui"
)

// A key is replaced like an association is made: by a document, or by the key
// alone, that is compared before it is trusted.

const beginKey = "-----BEGIN PUBLIC KEY-----"

// bareKey is a key that was brought without a document around it.
func bareKey(text string) bool { return strings.HasPrefix(text, beginKey) }

// siteKeyOf is the key in what was brought for a site.
func siteKeyOf(s *ui.Screen, a federation.SiteAssociation, v ui.Values) (string, error) {
	text, err := given(s, v)
	if err != nil || bareKey(text) {
		return text, err
	}
	data, err := federationhttp.ReadSite(text)
	if err == nil && data.Site != a.Site {
		err = problem.New(problem.BadRequest, "%s", s.T("sites.key.other", a.Name))
	}
	return data.PublicKey, err
}

func (p *Pages) siteKeyForm(s *ui.Screen, a federation.SiteAssociation) ui.Form {
	return uploadForm(s, sitePath(s, a.Site, "key"), sitePath(s, a.Site), s.T("sites.key.hint"))
}

func (p *Pages) drawSiteKey(s *ui.Screen, a federation.SiteAssociation, f ui.Form) error {
	return showUpload(s, p.siteCrumbs(s, a), uploadPage{
		Title: s.T("sites.key.title", a.Name), About: s.T("sites.key.about"), Steps: steps(s, 0), Form: f,
	})
}

func (p *Pages) showSiteKey(s *ui.Screen) error {
	a, err := p.held(s)
	if err != nil {
		return err
	}
	return p.drawSiteKey(s, a, p.siteKeyForm(s, a))
}

func (p *Pages) reviewSiteKey(s *ui.Screen) error {
	a, v, key, err := p.broughtSiteKey(s)
	if err != nil || key == "" {
		return err
	}
	return showReview(s, p.siteCrumbs(s, a), p.siteKeyReview(s, a, document(v), key))
}

// broughtSiteKey reads what a form brought. Where that is no key the form is shown
// again, and there is none.
func (p *Pages) broughtSiteKey(s *ui.Screen) (a federation.SiteAssociation, v ui.Values, key string, err error) {
	if a, err = p.held(s); err != nil {
		return a, v, "", err
	}
	if v, err = s.Form(); err != nil {
		return a, v, "", err
	}
	key, err = siteKeyOf(s, a, v)
	if err == nil && associations.Fingerprint(key) == "" {
		err = problem.New(problem.BadRequest, "%s", s.T("sites.key.none"))
	}
	if err == nil {
		return a, v, key, nil
	}
	fault, err := s.Fault(err)
	if err != nil {
		return a, v, "", err
	}
	return a, v, "", p.drawSiteKey(s, a, again(p.siteKeyForm(s, a), v, fault))
}

func (p *Pages) siteKeyReview(s *ui.Screen, a federation.SiteAssociation, text, key string) reviewPage {
	return keyReview(s, a.Name, a.PublicKey, key, trustForm(s, sitePath(s, a.Site, "key", "confirm"), sitePath(s, a.Site, "key"), text))
}

// keyReview shows the key that is trusted and the one that would be.
func keyReview(s *ui.Screen, name, held, key string, f ui.Form) reviewPage {
	f.Submit = s.T("sites.key.submit")
	page := reviewPage{
		Title: s.T("sites.key.review", name), About: s.T("sites.key.reviewabout"), Steps: steps(s, 1), Form: f,
		TheirsLabel: s.T("sites.key.new"), Theirs: associations.Fingerprint(key),
		OursLabel: s.T("sites.key.old"), Ours: associations.Fingerprint(held),
	}
	if page.Theirs == page.Ours {
		page.Warning = s.T("sites.key.same")
	}
	return page
}

func (p *Pages) replaceSiteKey(s *ui.Screen) error {
	a, v, key, err := p.broughtSiteKey(s)
	if err != nil || key == "" {
		return err
	}
	if err = compared(s, v); err == nil {
		_, err = p.Associations.ReplaceSiteKey(s.Request.Context(), s.By(), a.Site, key)
	}
	if err == nil {
		return s.Done(sitePath(s, a.Site), "sitekey")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	page := p.siteKeyReview(s, a, document(v), key)
	page.Form.Fault = fault
	return showReview(s, p.siteCrumbs(s, a), page)
}
