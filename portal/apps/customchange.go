package apps

import (
	"cmp"
	"slices"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
)

func permissions(texts []string) (list []services.ServicePermission, err error) {
	if err := tooMany(texts); err != nil {
		return nil, err
	}
	for _, text := range texts {
		p, err := services.ParseServicePermission(text)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func permissionTexts(list []services.ServicePermission) []string {
	texts := make([]string, 0, len(list))
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return texts
}

func (p Pages) createCustomRole(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	role := services.CustomRole{Name: form.Text("name"), DisplayName: form.Text("displayName"), Description: form.Text("description")}
	if role.Permissions, err = permissions(form.Values["permission"]); err == nil {
		role, err = p.Services.CreateCustomRole(s.Request.Context(), s.By(), s.Org().ID, role)
	}
	if err == nil {
		return s.Done(s.Path(customPath, "named", role.Name), "customrolemade")
	}
	return p.faultyCustom(s, err, form, s.T("customroles.new.title"), roleForm(s, services.CustomRole{}, true), customTrail(s, nil))
}

// faultyCustom shows a form again with what was sent.
func (p Pages) faultyCustom(s *ui.Screen, err error, form ui.Values, heading string, f ui.Form, way []ui.Crumb) error {
	if err := s.Refused(&f, form, err); err != nil {
		return err
	}
	return p.drawCustom(s, heading, f, form.Values["permission"], way)
}

func (p Pages) editCustomRole(s *ui.Screen) error {
	r, err := p.customOf(s)
	if err != nil {
		return err
	}
	texts := permissionTexts(r.Permissions)
	f := roleForm(s, r, false)
	for _, had := range texts {
		f.Fields = append(f.Fields, ui.Field{Kind: ui.Hidden, Name: "had", Value: had})
	}
	return p.drawCustom(s, s.T("customroles.edit.title", r.DisplayName), f, texts, customTrail(s, &r))
}

// saveCustomRole changes what was changed on the form, and leaves what others have
// changed meanwhile.
func (p Pages) saveCustomRole(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	r, err := p.customOf(s)
	if err != nil {
		return err
	}
	if err = p.saveCustom(s, r.Name, form); err == nil {
		return s.Done(s.Path(customPath, "named", r.Name), "customrolesaved")
	}
	f := roleForm(s, r, false)
	for _, had := range form.Values["had"] {
		f.Fields = append(f.Fields, ui.Field{Kind: ui.Hidden, Name: "had", Value: had})
	}
	return p.faultyCustom(s, err, form, s.T("customroles.edit.title", r.DisplayName), f, customTrail(s, &r))
}

func (p Pages) saveCustom(s *ui.Screen, name string, form ui.Values) error {
	had, chosen := form.Values["had"], form.Values["permission"]
	if err := cmp.Or(tooMany(had), tooMany(chosen)); err != nil {
		return err
	}
	minus := func(list, other []string) ([]services.ServicePermission, error) {
		return permissions(slices.DeleteFunc(slices.Clone(list), func(t string) bool { return slices.Contains(other, t) }))
	}
	add, err := minus(chosen, had)
	if err != nil {
		return err
	}
	remove, err := minus(had, chosen)
	if err != nil {
		return err
	}
	ctx := s.Request.Context()
	if len(add)+len(remove) > 0 {
		if _, err := p.Services.ChangeCustomPermissions(ctx, s.By(), s.Org().ID, name, add, remove); err != nil {
			return err
		}
	}
	displayName, description := form.Text("displayName"), form.Text("description")
	_, err = p.Services.DescribeCustomRole(ctx, s.By(), s.Org().ID, name, &displayName, &description)
	return err
}

func (p Pages) askDeleteCustomRole(s *ui.Screen) error { return p.drawDeleteCustom(s, nil) }

func (p Pages) drawDeleteCustom(s *ui.Screen, fault *problem.Problem) error {
	r, err := p.customOf(s)
	if err != nil {
		return err
	}
	rows, total, may, err := p.holders(s, r.Name)
	if err != nil {
		return err
	}
	c := ui.Confirm{
		Question: s.T("customroles.delete.question", r.DisplayName), Stays: []string{s.T("customroles.delete.stays")},
		Form: ui.Form{Submit: s.T("customroles.delete.submit"), Cancel: s.Path(customPath, "named", r.Name), Fault: fault},
	}
	for _, row := range rows {
		c.Ends = append(c.Ends, s.T("customroles.delete.app", row.Name, row.Client))
	}
	switch {
	case total > len(rows):
		c.Ends = append(c.Ends, s.T("customroles.delete.more", total-len(rows)))
	case may && total == 0:
		c.Ends = append(c.Ends, s.T("customroles.delete.noapps"))
	case !may:
		c.Ends = append(c.Ends, s.T("customroles.delete.apps"))
	}
	c.Ends = append(c.Ends, s.T("customroles.delete.people"))
	return s.Ask(ui.Frame{Title: s.T("customroles.delete.title"), Trail: customTrail(s, &r)}, c)
}

func (p Pages) deleteCustomRole(s *ui.Screen) error {
	err := p.Services.DeleteCustomRole(s.Request.Context(), s.By(), s.Org().ID, s.Param("role"))
	if err == nil {
		return s.Done(s.Path(customPath), "customroledeleted")
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	return p.drawDeleteCustom(s, fault)
}
