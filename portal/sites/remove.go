package sites

import (
	"causeway/federation"
	"causeway/internal/problem"
	"causeway/portal/ui"
)

func (p *Pages) askRemoveSite(s *ui.Screen) error {
	a, err := p.held(s)
	if err != nil {
		return err
	}
	return p.drawRemoveSite(s, a, nil)
}

// drawRemoveSite says what ends. Where organizations lean on the association, that
// theirs end too is asked for by itself.
func (p *Pages) drawRemoveSite(s *ui.Screen, a federation.SiteAssociation, fault *problem.Problem) error {
	leaning, err := p.leaning(s.Request.Context(), a.Site)
	if err != nil {
		return err
	}
	c := ui.Confirm{
		Question: s.T("sites.remove.title", a.Name),
		Ends:     []string{s.T("sites.remove.crossing", a.Name), s.T("sites.remove.connections")},
		Stays:    []string{s.T("sites.remove.theirhalf", a.Name), s.T("sites.remove.accounts"), s.T("sites.remove.audit")},
		Form:     ui.Form{Submit: s.T("sites.remove.submit"), Cancel: sitePath(s, a.Site), Fault: fault},
	}
	if leaning.Total > 0 {
		c.Ends = append(c.Ends, leaning.ends(s)...)
		c.Form.Submit = s.T("sites.remove.all")
		c.Form.Fields = []ui.Field{{Kind: ui.Box, Name: "force", Required: true, Label: s.Count("sites.remove.force", leaning.Total)}}
	}
	return s.Ask(ui.Frame{Title: c.Question, Trail: p.siteCrumbs(s, a)}, c)
}

// ends are what organizations lose, the first by their names.
func (l leaning) ends(s *ui.Screen) []string {
	list := []string{s.Count("sites.remove.orgs", l.Total)}
	for _, a := range l.First {
		list = append(list, s.T("sites.remove.pair", a.LocalName, a.RemoteName))
	}
	if more := l.Total - len(l.First); more > 0 {
		list = append(list, s.Count("sites.remove.more", more))
	}
	if l.Direct > 0 {
		list = append(list, s.Count("sites.remove.direct", l.Direct))
	}
	return list
}

func (p *Pages) removeSite(s *ui.Screen) error {
	a, err := p.held(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	_, err = p.Associations.RemoveSite(s.Request.Context(), s.By(), a.Site, v.Is("force"))
	if err == nil {
		return s.Done(sitesPath(s), "siteremoved")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawRemoveSite(s, a, fault)
}
