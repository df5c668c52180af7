package machines

import (
	"net/http"
	"slices"

	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/portal/ui"
	"causeway/tenants"
)

// The steps of the wizard. Nothing is kept between them but in the page: hidden
// fields carry what was entered in the others.
const (
	stepRole     = "role"
	stepSoftware = "software"
	stepQuota    = "quota"
	stepReview   = "review"
)

// draft is an account that is being described.
type draft struct {
	Name, Role, SoftwareID, Version, URI, Quota string
}

func readDraft(form ui.Values) draft {
	return draft{
		Name: form.Text("name"), Role: form.Get("role"), SoftwareID: form.Text("softwareId"),
		Version: form.Text("softwareVersion"), URI: form.Text("uri"), Quota: form.Get("quota"),
	}
}

// hidden are the fields that the page of a step does not show.
func (d draft) hidden(step string) (fields []ui.Field) {
	add := func(of, name, value string) {
		if of != step {
			fields = append(fields, ui.Field{Kind: ui.Hidden, Name: name, Value: value})
		}
	}
	add(stepRole, "name", d.Name)
	add(stepRole, "role", d.Role)
	add(stepSoftware, "softwareId", d.SoftwareID)
	add(stepSoftware, "softwareVersion", d.Version)
	add(stepSoftware, "uri", d.URI)
	add(stepQuota, "quota", d.Quota)
	return append(fields, ui.Field{Kind: ui.Hidden, Name: "step", Value: step})
}

// stepOf is the step in which a field is.
func stepOf(field string) string {
	switch field {
	case "name", "role":
		return stepRole
	case "softwareId", "softwareVersion", "uri":
		return stepSoftware
	case "quota":
		return stepQuota
	}
	return stepReview
}

type wizardPage struct {
	Step     string
	Steps    []string
	Before   string // the step before, or empty
	Draft    draft
	Form     ui.Form // the fields of the step, and the fault
	Hidden   []ui.Field
	Roles    []can
	RoleErr  string
	Role     can // the chosen one
	Policies []tenants.QuotaPolicy
	Policy   string // the name of the chosen one
	Cancel   string
}

func (p *Pages) begin(s *ui.Screen) error { return p.drawStep(s, stepRole, draft{}, nil) }

// step answers what was sent from a page of the wizard.
func (p *Pages) step(s *ui.Screen) error {
	form, err := s.Form()
	if err != nil {
		return err
	}
	d, step := readDraft(form), form.Get("step")
	switch to := form.Get("to"); {
	case to == "generate":
		d.SoftwareID = tenants.NewID()
		return p.drawStep(s, stepSoftware, d, nil)
	case to != "":
		return p.drawStep(s, to, d, nil)
	case step == stepReview:
		return p.create(s, d)
	}
	fault, err := p.checkStep(s, step, d)
	if err != nil {
		return err
	}
	if fault != nil {
		return p.drawStep(s, step, d, fault)
	}
	policies, err := p.policies(s)
	if err != nil {
		return err
	}
	steps := stepsOf(policies)
	next := slices.Index(steps, step) + 1
	return p.drawStep(s, steps[min(next, len(steps)-1)], d, nil)
}

// checkStep says what is wrong with the fields of a step. What is checked here is
// checked again when the account is made.
func (p *Pages) checkStep(s *ui.Screen, step string, d draft) (*problem.Problem, error) {
	switch step {
	case stepRole:
		return p.checkName(s, d)
	case stepSoftware:
		for _, err := range []error{oauth.CheckSoftwareID(d.SoftwareID), oauth.CheckVersion(d.Version), oauth.CheckURI(d.URI)} {
			if err != nil {
				return said(s, problem.As(err)), nil
			}
		}
	}
	return nil, nil
}

func (p *Pages) checkName(s *ui.Screen, d draft) (*problem.Problem, error) {
	switch _, known := s.Org().RoleName(tenants.RoleID(d.Role)); {
	case !tenants.ValidName(d.Name):
		return problem.New(problem.BadRequest, "%s", s.T("machines.fault.name", tenants.MaxName)).In("name"), nil
	case !known:
		return problem.New(problem.BadRequest, "%s", s.T("machines.fault.role")).In("role"), nil
	}
	_, taken, err := p.OAuth.Accounts(s.Request.Context(), s.Org().ID, tenants.Query{Where: "name = ?", Args: []any{d.Name}, Page: 1, PageSize: 1})
	if err != nil || taken == 0 {
		return nil, err
	}
	return problem.New(problem.DuplicateName, "%s", s.T("machines.fault.taken")).In("name"), nil
}

// said is p in words for people, where the domain's are about its wire.
func said(s *ui.Screen, p *problem.Problem) *problem.Problem {
	if p.Field == "" {
		return p
	}
	words := map[string]string{
		"name": "machines.fault.taken", "softwareId": "machines.fault.softwareid",
		"softwareVersion": "machines.fault.version", "uri": "machines.fault.uri",
	}[p.Field]
	if p.Field == "name" && p.Code != problem.DuplicateName {
		return problem.New(p.Code, "%s", s.T("machines.fault.name", tenants.MaxName)).In(p.Field)
	}
	if words == "" {
		return p
	}
	return problem.New(p.Code, "%s", s.T(words)).In(p.Field)
}

// create makes the account, and gives it the quota after that: where this is refused
// the account is there without.
func (p *Pages) create(s *ui.Screen, d draft) error {
	ctx := s.Request.Context()
	role, _ := s.Org().RoleName(tenants.RoleID(d.Role))
	a, err := p.OAuth.Register(ctx, s.By(), s.Org(), oauth.Registration{
		ClientName: d.Name, SoftwareID: d.SoftwareID, SoftwareVersion: d.Version, ClientURI: d.URI, Scope: oauth.RoleScope(role),
	})
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		if fault.Code == problem.Forbidden || fault.Code == problem.InvalidScope {
			fault.Field = "role"
		}
		fault = said(s, fault)
		return p.drawStep(s, stepOf(fault.Field), d, fault)
	}
	at := s.Path(accountsPath, string(a.ID))
	if d.Quota != "" && s.Can(giveQuota...) {
		if _, err := p.Tenants.AssignQuota(ctx, s.By(), s.Org().ID, holder(a), tenants.QuotaPolicyID(d.Quota)); err != nil {
			if _, err := s.Fault(err); err != nil {
				return err
			}
			return s.Done(at, "machinewithoutquota")
		}
	}
	return s.Done(at, "machinecreated")
}

func holder(a oauth.ServiceAccount) tenants.QuotaHolder {
	return tenants.QuotaHolder{Kind: tenants.HolderAccount, ID: string(a.ID), Name: a.Name}
}

// stepsOf are those of the wizard; a quota is offered only to who may give one, where
// there is any.
func stepsOf(policies []tenants.QuotaPolicy) []string {
	if len(policies) == 0 {
		return []string{stepRole, stepSoftware, stepReview}
	}
	return []string{stepRole, stepSoftware, stepQuota, stepReview}
}

// maxPolicies bounds a choice that people read.
const maxPolicies = 200

func (p *Pages) policies(s *ui.Screen) ([]tenants.QuotaPolicy, error) {
	if !s.Can(giveQuota...) {
		return nil, nil
	}
	list, _, err := p.Tenants.QuotaPolicies(s.Request.Context(), s.Org().ID, tenants.Query{SortBy: "name", Page: 1, PageSize: maxPolicies})
	return list, err
}

func (p *Pages) drawStep(s *ui.Screen, step string, d draft, fault *problem.Problem) error {
	policies, err := p.policies(s)
	if err != nil {
		return err
	}
	steps := stepsOf(policies)
	if !slices.Contains(steps, step) {
		step = stepRole
	}
	page := wizardPage{Step: step, Steps: steps, Draft: d, Hidden: d.hidden(step), Policies: policies, Cancel: s.Path(accountsPath)}
	if i := slices.Index(steps, step); i > 0 {
		page.Before = steps[i-1]
	}
	if page.Roles, err = p.roles(s, d.Role); err != nil {
		return err
	}
	for _, r := range page.Roles {
		if r.Chosen {
			page.Role = r
		}
	}
	for _, policy := range page.Policies {
		if string(policy.ID) == d.Quota {
			page.Policy = policy.Name
		}
	}
	page.Form.Fields = page.fields(s)
	status := http.StatusOK
	if fault != nil {
		page.Form.Blame(fault)
		if status = page.Form.Status(); fault.Field == "role" {
			page.RoleErr = fault.Detail
		}
	}
	return s.ShowFrame(status, "machines/wizard", ui.Frame{D: page, Title: s.T("machines.new"), Trail: trail(s)})
}

// fields are those that the kit draws.
func (w wizardPage) fields(s *ui.Screen) []ui.Field {
	switch w.Step {
	case stepRole:
		return []ui.Field{nameField(s, w.Draft.Name)}
	case stepSoftware:
		return softwareFields(s, w.Draft)
	case stepQuota:
		return []ui.Field{quotaField(s, w.Policies, tenants.QuotaPolicyID(w.Draft.Quota))}
	}
	return nil
}

func nameField(s *ui.Screen, name string) ui.Field {
	return ui.Field{Name: "name", Label: s.T("machines.name"), Hint: s.T("machines.name.hint"), Value: name, Required: true, Max: tenants.MaxName, Focus: true}
}

func softwareFields(s *ui.Screen, d draft) []ui.Field {
	return []ui.Field{
		{Name: "softwareId", Label: s.T("machines.softwareid"), Hint: s.T("machines.softwareid.hint"), Value: d.SoftwareID, Required: true, Mono: true, Max: 36,
			Generate: "uuid", GenerateLabel: s.T("machines.generate"), Focus: true},
		{Name: "softwareVersion", Label: s.T("machines.version"), Hint: s.T("machines.version.hint"), Value: d.Version, Max: 255},
		{Name: "uri", Kind: ui.Address, Label: s.T("machines.uri"), Hint: s.T("machines.uri.hint"), Value: d.URI, Max: 2048},
	}
}

func quotaField(s *ui.Screen, policies []tenants.QuotaPolicy, held tenants.QuotaPolicyID) ui.Field {
	f := ui.Field{Name: "quota", Kind: ui.Choice, Label: s.T("machines.quota"), Hint: s.T("machines.quota.hint"),
		Options: []ui.Option{{Label: s.T("machines.noquota"), Chosen: held == ""}}}
	for _, policy := range policies {
		f.Options = append(f.Options, ui.Option{Value: string(policy.ID), Label: policy.Name, Chosen: policy.ID == held})
	}
	return f
}

// roles are those that the caller may give a service account of the organization, with
// what each would allow it.
func (p *Pages) roles(s *ui.Screen, chosen string) (roles []can, err error) {
	list, err := p.Tenants.RolesToGive(s.Request.Context(), s.By(), s.Org().ID, tenants.KindServiceAccount)
	for _, role := range list {
		c := newCan(role.ID, role.Name, role.Description, s.Org().MachineRights(role.ID))
		c.Chosen = string(role.ID) == chosen
		roles = append(roles, c)
	}
	return roles, err
}

// trail leads back to the list.
func trail(s *ui.Screen, more ...ui.Crumb) []ui.Crumb {
	return append([]ui.Crumb{{Text: s.T("machines.title"), Path: s.Path(accountsPath)}}, more...)
}
