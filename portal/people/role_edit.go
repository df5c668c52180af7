package people

import (
	"causeway/portal/ui"
	"causeway/tenants"
)

// newDraft is a role that is not there yet, a copy of another if the address names
// one.
func (p *Pages) newDraft(s *ui.Screen) (draft, error) {
	giving, err := p.Tenants.Giving(s.Request.Context(), s.By(), s.Org().ID)
	if err != nil {
		return draft{}, err
	}
	d := draft{
		Title: s.T("roles.new.title"), Submit: s.T("roles.new.submit"), Cancel: s.Path(rolesPath), Trail: rolesTrail(s),
		Offered: giving.Available(), Own: giving.Own(), Text: tenants.RoleText{BundleKey: tenants.UndefinedBundleKey},
		Effects: func(difference) ([]string, error) { return []string{s.T("roles.new.effect")}, nil },
	}
	d.Save = func(d draft) (func() error, error) {
		role, err := p.Tenants.CreateRole(s.Request.Context(), s.By(), s.Org(), d.Text, d.Chosen...)
		return func() error { return s.Done(s.Path(rolesPath, string(role.ID)), "rolecreated") }, err
	}
	return d, nil
}

func (p *Pages) newRole(s *ui.Screen) error {
	d, err := p.newDraft(s)
	if err != nil {
		return err
	}
	if from := s.Query("from"); from != "" {
		if err := p.copyFrom(s, &d, from); err != nil {
			return err
		}
	}
	return d.show(s, nil)
}

// copyFrom fills a draft from another role, as far as whoever looks can give it.
func (p *Pages) copyFrom(s *ui.Screen, d *draft, from string) error {
	id, err := tenants.ParseID[tenants.RoleID]("role", from)
	if err != nil {
		return err
	}
	role, err := p.Tenants.Role(s.Request.Context(), s.Org().ID, id)
	if err != nil {
		return err
	}
	effective := s.Org().Effective(role.Rights)
	given := effective.Intersect(d.can())
	d.Text.Name, d.Text.Description, d.Chosen = s.T("roles.copyof", role.Name), role.Description, given.List()
	if left := effective.Minus(given).Len(); left > 0 {
		d.Notes = append(d.Notes, s.Count("roles.leftout", left))
	}
	return nil
}

func (p *Pages) createRole(s *ui.Screen) error {
	d, err := p.newDraft(s)
	if err != nil {
		return err
	}
	return d.take(s)
}

// editDraft is the role that the path names, to be changed.
func (p *Pages) editDraft(s *ui.Screen) (draft, string, error) {
	d, err := p.newDraft(s)
	if err != nil {
		return d, "", err
	}
	role, err := p.pathRole(s)
	if err != nil {
		return d, "", err
	}
	why, err := p.whyNot(s, role)
	if err != nil {
		return d, "", err
	}
	h, err := p.holders(s, s.Org().ID, role.ID)
	if err != nil {
		return d, "", err
	}
	d.Title, d.Submit, d.Cancel = s.T("roles.edit.title", role.Name), s.T("roles.edit.submit"), s.Path(rolesPath, string(role.ID))
	d.Trail, d.Seen, d.Stored = rolesTrail(s, role), role.Version(), role.Rights
	d.Before = tenants.RoleText{Name: role.Name, Description: role.Description, BundleKey: role.BundleKey}
	d.Text, d.Chosen = d.Before, tenants.SetOf(role.Rights...).Intersect(d.Offered).List()
	if dropped := tenants.SetOf(role.Rights...).Minus(d.Offered).Len(); dropped > 0 {
		d.Notes = append(d.Notes, s.Count("roles.dropped", dropped))
	}
	d.Effects = func(diff difference) ([]string, error) { return roleEffects(s, h, diff), nil }
	d.Save = func(d draft) (func() error, error) {
		_, err := p.Tenants.ReplaceRole(s.Request.Context(), s.By(), s.Org(), role.ID, d.Seen, d.Text, d.Chosen)
		return func() error { return s.Done(s.Path(rolesPath, string(role.ID)), "rolesaved") }, err
	}
	return d, why, nil
}

// roleEffects say what a change of a role's rights means for those who hold it.
func roleEffects(s *ui.Screen, h holders, diff difference) []string {
	var says []string
	switch held := h.words(s); {
	case !diff.Any():
		return []string{s.T("roles.effect.text")}
	case held == "":
		says = append(says, s.T("roles.effect.unknown"))
	case !h.some():
		return []string{s.T("roles.effect.nobody")}
	default:
		says = append(says, s.T("roles.effect.held", held))
	}
	if h.Accounts != 0 {
		says = append(says, s.T("roles.effect.machines"))
	}
	return says
}

func (p *Pages) editRole(s *ui.Screen) error {
	d, why, err := p.editDraft(s)
	if err != nil {
		return err
	}
	if why != "" {
		return cannot(why)
	}
	return d.show(s, nil)
}

func (p *Pages) replaceRole(s *ui.Screen) error {
	d, why, err := p.editDraft(s)
	if err != nil {
		return err
	}
	if why != "" {
		return cannot(why)
	}
	return d.take(s)
}
