package instances

import (
	"net/http"
	"slices"
	"strings"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/services"
	"causeway/tenants"
)

// suggested is how many organizations a form offers while somebody types the name of
// one; more would make the page heavy, and each can be typed.
const suggested = 200

type instanceFormPage struct {
	Title    string
	About    string
	Networks []string // where instances may be; none is public addresses
	PlainTLS bool     // https only
	Ends     []string
	Form     ui.Form
}

func (p *Pages) instanceNew(s *ui.Screen) error {
	form, err := p.newForm(s)
	if err != nil {
		return err
	}
	return p.drawForm(s, form, s.T("instances.form.new"), nil, instanceTrail(s))
}

func (p *Pages) drawForm(s *ui.Screen, form ui.Form, title string, ends []string, trail []ui.Crumb) error {
	rules := p.Services.Rules()
	page := instanceFormPage{Title: title, PlainTLS: !rules.PlainHTTP, Form: form, Ends: ends}
	for _, n := range rules.Networks {
		page.Networks = append(page.Networks, n.String())
	}
	return s.ShowFrame(form.Status(), "instances/instanceform", ui.Frame{Title: title, Trail: trail, D: page})
}

// newForm asks for what is said once and never changes, and then for the rest.
func (p *Pages) newForm(s *ui.Screen) (ui.Form, error) {
	ctx := s.Request.Context()
	all, err := p.Services.Definitions(ctx)
	if err != nil {
		return ui.Form{}, err
	}
	var first []ui.Field
	if s.Provider() {
		orgs, _, err := p.Tenants.Organizations(ctx, tenants.SystemOrgID, tenants.Query{Page: 1, PageSize: suggested, SortBy: "name"})
		if err != nil {
			return ui.Form{}, err
		}
		of := ui.Field{Name: fieldOrg, Label: s.T("instances.form.org"), Hint: s.T("instances.form.orghint"), Required: true, Max: tenants.MaxName, Focus: true}
		for _, o := range orgs {
			of.Suggest = append(of.Suggest, o.Name)
		}
		first = append(first, of)
	}
	choice := ui.Field{Kind: ui.Choice, Name: fieldDefinition, Label: s.T("instances.form.definition"), Hint: s.T("instances.form.definitionhint"), Required: true}
	for _, d := range all {
		choice.Options = append(choice.Options, ui.Option{Value: string(d.ID), Label: d.Name})
	}
	fresh := services.ServiceInstance{Mode: services.Onboarded, Enabled: true}
	return ui.Form{
		Submit: s.T("instances.form.create"), Cancel: s.Path(instances), Fields: append(append(first, choice), fields(s, fresh)...),
	}, nil
}

// fields ask for what can be changed of an instance.
func fields(s *ui.Screen, in services.ServiceInstance) []ui.Field {
	mode := ui.Field{Kind: ui.Radio, Name: fieldMode, Label: s.T("instances.mode"), Required: true, Options: modes(s)}
	for i := range mode.Options {
		mode.Options[i].Chosen = mode.Options[i].Value == string(in.Mode)
	}
	hint := s.T("instances.form.secretnew")
	if len(in.HookSecret) > 0 {
		hint = s.T("instances.form.secretkept")
	}
	return []ui.Field{
		{Name: fieldName, Label: s.T("instances.form.name"), Hint: s.T("instances.form.namehint"), Value: in.Name, Required: true, Max: 128},
		mode,
		{Name: fieldPrefix, Label: s.T("instances.form.prefix"), Hint: s.T("instances.form.prefixhint"), Value: in.Prefix, Max: 256, Mono: true},
		{Kind: ui.Area, Name: fieldHosts, Label: s.T("instances.form.hosts"), Hint: s.T("instances.form.hostshint"), Value: strings.Join(in.Hosts, "\n"), Mono: true, Rows: 2},
		{Kind: ui.Area, Name: fieldUpstreams, Label: s.T("instances.form.upstreams"), Hint: s.T("instances.form.upstreamshint"), Value: strings.Join(in.Upstreams, "\n"), Required: true, Mono: true, Rows: 3},
		{Name: fieldTimeout, Label: s.T("instances.form.timeout"), Hint: s.T("instances.form.timeouthint"), Value: spanText(in.Timeout), Max: 16},
		{Name: fieldHealth, Label: s.T("instances.form.health"), Hint: s.T("instances.form.healthhint"), Value: in.Health.Path, Max: 256, Mono: true},
		{Name: fieldInterval, Label: s.T("instances.form.interval"), Hint: s.T("instances.form.intervalhint"), Value: spanText(in.Health.Interval), Max: 16},
		{Name: fieldPatience, Label: s.T("instances.form.patience"), Hint: s.T("instances.form.patiencehint"), Value: spanText(in.Health.Timeout), Max: 16},
		{Name: fieldUnhealthy, Label: s.T("instances.form.unhealthy"), Hint: s.T("instances.form.unhealthyhint"), Value: numberText(in.Health.Unhealthy), Kind: ui.Number},
		{Name: fieldHealthy, Label: s.T("instances.form.healthy"), Hint: s.T("instances.form.healthyhint"), Value: numberText(in.Health.Healthy), Kind: ui.Number},
		{Name: fieldHook, Label: s.T("instances.form.hook"), Hint: s.T("instances.form.hookhint"), Value: in.HookURL, Max: 1024, Mono: true},
		{Kind: ui.Secret, Name: fieldSecret, Label: s.T("instances.form.secret"), Hint: hint, Max: 256, Auto: "new-password"},
		{Kind: ui.Box, Name: fieldEnabled, Label: s.T("instances.form.enabled"), Hint: s.T("instances.form.enabledhint"), Checked: in.Enabled},
	}
}

// instanceCreate makes an instance in the organization that the form names, or in that
// of the portal.
func (p *Pages) instanceCreate(s *ui.Screen) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	org, err := p.namedOrg(s, v)
	var d services.Draft
	if err == nil {
		d, err = draft(s, v)
	}
	var in services.ServiceInstance
	if err == nil {
		var made string
		in, made, err = p.create(s, org, services.DefinitionID(strings.ToLower(v.Get(fieldDefinition))), d)
		if err == nil {
			return p.created(s, in, made, "instancecreated")
		}
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	form, err := p.newForm(s)
	if err != nil {
		return err
	}
	form.Fill(v)
	form.Blame(fault)
	return p.drawForm(s, form, s.T("instances.form.new"), nil, instanceTrail(s))
}

func (p *Pages) create(s *ui.Screen, org tenants.OrgID, of services.DefinitionID, d services.Draft) (services.ServiceInstance, string, error) {
	in, made, err := p.Services.CreateInstance(s.Request.Context(), s.By(), org, of, d)
	return in, made.Reveal(), err
}

// namedOrg is the organization that the form of a provider names.
func (p *Pages) namedOrg(s *ui.Screen, v ui.Values) (tenants.OrgID, error) {
	if !s.Provider() {
		return s.Org().ID, nil
	}
	org, err := p.Orgs.ByName(s.Request.Context(), v.Text(fieldOrg))
	if problem.Has(err, problem.NotFound) {
		return "", problem.New(problem.BadRequest, "%s", s.T("instances.form.noorg", v.Text(fieldOrg))).In(fieldOrg)
	}
	if err != nil {
		return "", err
	}
	httpapi.Concern(s.Context, org.ID)
	return org.ID, nil
}

type madePage struct {
	services.ServiceInstance
	Secret string
	File   string
	Next   string
}

// created goes to the instance, and where a secret was made shows it first: this
// answer is the only one that has it.
func (p *Pages) created(s *ui.Screen, in services.ServiceInstance, made, did string) error {
	at := s.Path(instances, string(in.ID))
	if made == "" {
		return s.Done(at, did)
	}
	return s.ShowFrame(http.StatusOK, "instances/made", ui.Frame{
		Title: s.T("instances.made.title"), Trail: instanceTrail(s, instanceCrumb(s, in)), D: madePage{in, made, "hook-secret.txt", at},
	})
}

func (p *Pages) instanceEdit(s *ui.Screen) error {
	_, in, err := p.found(s)
	if err != nil {
		return err
	}
	return p.drawForm(s, editForm(s, in), s.T("instances.form.edit", in.Name), nil, instanceTrail(s, instanceCrumb(s, in)))
}

func editForm(s *ui.Screen, in services.ServiceInstance) ui.Form {
	return ui.Form{
		Submit: s.T("instances.form.save"), Cancel: s.Path(instances, string(in.ID)),
		Fields: append(fields(s, in), ui.Field{Kind: ui.Hidden, Name: fieldSeen, Value: stamp(in.UpdatedAt)}),
	}
}

// instanceUpdate changes an instance. What would end something is said first, and
// done when whoever asks is sure.
func (p *Pages) instanceUpdate(s *ui.Screen) error {
	_, before, err := p.found(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	form := editForm(s, before)
	trail, title := instanceTrail(s, instanceCrumb(s, before)), s.T("instances.form.edit", before.Name)
	if seen := v.Get(fieldSeen); seen != "" && seen != stamp(before.UpdatedAt) {
		fault, err := s.Fault(problem.New(problem.Conflict, "%s", s.T("instances.form.meanwhile")))
		if err != nil {
			return err
		}
		form.Blame(fault) // and shows the instance as it is: an old form must not switch it on again
		return p.drawForm(s, form, title, nil, trail)
	}
	form.Fill(v)
	d, err := draft(s, v)
	if err == nil {
		var ends []string
		if ends, err = p.ends(s, before, d); err != nil {
			return err
		}
		if len(ends) > 0 && !v.Is(fieldSure) {
			form.Danger = true
			form.Fields = append(form.Fields, ui.Field{Kind: ui.Box, Name: fieldSure, Label: s.T("instances.form.sure"), Required: true})
			return p.drawForm(s, form, title, ends, trail)
		}
		var in services.ServiceInstance
		var made string
		if in, made, err = p.update(s, before, d); err == nil {
			return p.created(s, in, made, "instanceupdated")
		}
	}
	fault, err := s.Fault(err)
	if err != nil {
		return err
	}
	form.Blame(fault)
	return p.drawForm(s, form, title, nil, trail)
}

func (p *Pages) update(s *ui.Screen, before services.ServiceInstance, d services.Draft) (services.ServiceInstance, string, error) {
	in, made, err := p.Services.UpdateInstance(s.Request.Context(), s.By(), before.Org, before.ID, d)
	return in, made.Reveal(), err
}

// ends is what a change of an instance would end.
func (p *Pages) ends(s *ui.Screen, before services.ServiceInstance, d services.Draft) (ends []string, err error) {
	if before.Enabled && !d.Enabled {
		ends = append(ends, s.T("instances.form.endsrequests"))
	}
	if before.Mode != services.Original && d.Mode == services.Original {
		uses, err := p.Services.InstanceUses(s.Request.Context(), before.Org, before.ID)
		if err != nil {
			return nil, err
		}
		ends = append(ends, s.Count("instances.form.endsapps", uses.Apps))
	}
	after := services.ServiceInstance{Prefix: d.Prefix, Hosts: d.Hosts}
	for _, place := range reached(before) {
		if !slices.Contains(reached(after), place) {
			ends = append(ends, s.T("instances.form.endsplace", place))
		}
	}
	if before.HookURL != "" && d.HookURL == "" {
		ends = append(ends, s.T("instances.form.endshook"))
	}
	return ends, nil
}

// instanceAsk says what ends with an instance.
func (p *Pages) instanceAsk(s *ui.Screen) error {
	org, in, err := p.found(s)
	if err != nil {
		return err
	}
	uses, err := p.Services.InstanceUses(s.Request.Context(), in.Org, in.ID)
	if err != nil {
		return err
	}
	c := ui.Confirm{
		Question: s.T("instances.deleteask", in.Name, org.Name),
		Ends: []string{
			s.T("instances.endsrequests", strings.Join(reached(in), ", ")), s.Count("instances.endsapps", uses.Apps),
			s.Count("instances.endsmanual", uses.Manual), s.Count("instances.endsgrants", uses.Grants),
		},
		Stays: []string{s.T("instances.staysservice"), s.T("instances.staysroles"), s.T("instances.staysaudit")},
		Form:  ui.Form{Submit: s.T("instances.delete"), Cancel: s.Path(instances, string(in.ID))},
	}
	if in.HookURL != "" {
		c.Ends = append(c.Ends, s.T("instances.endshook"))
	}
	return s.Ask(ui.Frame{Title: s.T("instances.delete"), Trail: instanceTrail(s, instanceCrumb(s, in))}, c)
}

func (p *Pages) instanceDelete(s *ui.Screen) error {
	org, id, err := p.target(s)
	if err != nil {
		return err
	}
	if err := p.Services.DeleteInstance(s.Request.Context(), s.By(), org.ID, id); err != nil {
		return err
	}
	return s.Done(s.Path(instances), "instancedeleted")
}
