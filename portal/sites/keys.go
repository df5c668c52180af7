package sites

import (
	"context"

	"causeway/federation/associations"
	"causeway/federation/roots"
	"causeway/internal/problem"
	"causeway/portal/ui"
)

// rootKey is a root key as the page shows it.
type rootKey struct {
	roots.Info
	Grouped, Word, About, Kind string
	Retire                     string // address; empty where nothing is left to retire
}

var keyKinds = map[roots.State]string{roots.Published: "busy", roots.Signing: "good", roots.Proving: "plain", roots.Retired: "plain"}

type keysPage struct {
	Keys   []rootKey
	Manage bool
	// Busy says why no successor can be published now; empty where one can.
	Busy string
}

func keysPath(s *ui.Screen, more ...string) string {
	return s.Path(append([]string{"multisite", "keys"}, more...)...)
}

func keysTrail(s *ui.Screen) []ui.Crumb {
	return []ui.Crumb{{Text: s.T("rootkeys.title"), Path: keysPath(s)}}
}

func (p *Pages) keys(s *ui.Screen) error {
	list, err := p.Roots.List(s.Request.Context())
	if err != nil {
		return err
	}
	page := keysPage{Manage: s.Can(manageSites...)}
	for _, k := range list {
		key := "rootkeys.state." + string(k.State)
		shown := rootKey{Info: k, Grouped: associations.Grouped(k.Fingerprint), Word: s.T(key), About: s.T(key + ".about"), Kind: keyKinds[k.State]}
		if page.Manage && k.State != roots.Retired {
			shown.Retire = keysPath(s, k.Fingerprint, "retire")
		}
		switch k.State {
		case roots.Published, roots.Proving:
			page.Busy = s.T("rootkeys.busy." + string(k.State))
		}
		page.Keys = append(page.Keys, shown)
	}
	return s.Show("sites/keys", "rootkeys.title", page)
}

func (p *Pages) askRotate(s *ui.Screen) error { return p.drawRotate(s, nil) }

func (p *Pages) drawRotate(s *ui.Screen, fault *problem.Problem) error {
	return s.ShowFrame((&ui.Form{Fault: fault}).Status(), "sites/form", ui.Frame{
		D: formPage{About: s.T("rootkeys.rotate.about"), Form: ui.Form{
			Submit: s.T("rootkeys.rotate.submit"), Cancel: keysPath(s), Fault: fault,
		}}, Title: s.T("rootkeys.rotate.title"), Trail: keysTrail(s),
	})
}

func (p *Pages) rotate(s *ui.Screen) error {
	_, err := p.Roots.Rotate(s.Request.Context(), s.By())
	if err == nil {
		return s.Done(keysPath(s), "rootkeypublished")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawRotate(s, fault)
}

// rootKey is the one that the address names.
func (p *Pages) rootKey(ctx context.Context, fingerprint string) (roots.Info, bool, error) {
	list, err := p.Roots.List(ctx)
	successor := false
	var found roots.Info
	for _, k := range list {
		successor = successor || k.State == roots.Published
		if k.Fingerprint == fingerprint {
			found = k
		}
	}
	if err == nil && found.Fingerprint == "" {
		err = problem.Hidden()
	}
	return found, successor, err
}

func (p *Pages) askRetire(s *ui.Screen) error {
	k, successor, err := p.rootKey(s.Request.Context(), s.Param("fingerprint"))
	if err != nil {
		return err
	}
	c := ui.Confirm{
		Question: s.T("rootkeys.retire.title"),
		Ends:     []string{s.T("rootkeys.retire.key", associations.Grouped(k.Fingerprint))},
		Stays:    []string{s.T("rootkeys.retire.local"), s.T("rootkeys.retire.associations")},
		Form:     ui.Form{Submit: s.T("rootkeys.retire.submit"), Cancel: keysPath(s)},
	}
	switch {
	case k.State == roots.Signing && successor:
		c.Ends = append(c.Ends, s.T("rootkeys.retire.successor"))
	case k.State == roots.Signing:
		c.First = []string{s.T("rootkeys.retire.first")}
		c.Ends = append(c.Ends, s.T("rootkeys.retire.stranger"))
	case k.State == roots.Proving:
		c.Ends = append(c.Ends, s.T("rootkeys.retire.proving"))
	}
	return s.Ask(ui.Frame{Title: c.Question, Trail: keysTrail(s)}, c)
}

func (p *Pages) retire(s *ui.Screen) error {
	if _, err := p.Roots.Retire(s.Request.Context(), s.By(), s.Param("fingerprint")); err != nil {
		return err
	}
	return s.Done(keysPath(s), "rootkeyretired")
}
