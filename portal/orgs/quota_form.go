package orgs

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// quotaPage is the form of a policy: what the gateway counts has fields of its own,
// everything else lines of a name and an amount.
type quotaPage struct {
	Policy  tenants.QuotaPolicy // empty for a new one
	Bounds  []string
	Form    ui.Form // name and description
	Counted []countedRow
	Others  []otherRow
	Manage  bool
}

type countedRow struct {
	Title, About string
	Number, Unit ui.Field
	Timed        bool
}

type otherRow struct {
	Index                                int
	Name, Amount, Unit, Qualifiers, Type ui.Field
}

var quotaUnits = []string{"PER_SECOND", "PER_MINUTE", "PER_HOUR", "PER_DAY"}

const usualUnit = "PER_MINUTE"

// emptyRows are the lines that a form has for more.
const emptyRows = 2

// maxRows is how many lines a form can send.
const maxRows = 64

func newQuotaPage(s *ui.Screen, q tenants.QuotaPolicy) *quotaPage {
	page := &quotaPage{
		Policy: q, Bounds: boundsOf(s, q), Manage: s.Can(manageQuotas...),
		Form: ui.Form{
			Fields: []ui.Field{
				{Name: "name", Label: s.T("quotas.name"), Value: q.Name, Required: true, Max: tenants.MaxName, Focus: q.Name == ""},
				{Name: "description", Label: s.T("quotas.description"), Value: q.Description, Kind: ui.Area, Rows: 2, Max: 4096},
			},
			Submit: s.T("orgs.save"), Cancel: s.Path(quotasAt),
		},
	}
	if q.ID != "" {
		page.Form.Fields = append(page.Form.Fields, ui.Seen(q))
	}
	left := slices.Clone(q.Definitions)
	for _, name := range []string{tenants.QuotaRequests, tenants.QuotaConcurrent, tenants.QuotaBytes} {
		var of tenants.QuotaDefinition
		if i := slices.IndexFunc(left, func(d tenants.QuotaDefinition) bool { return resource(d) == name }); i >= 0 {
			of, left = left[i], slices.Delete(left, i, i+1)
		}
		page.Counted = append(page.Counted, counted(s, name, of))
	}
	for _, d := range left {
		page.Others = append(page.Others, other(s, len(page.Others), d))
	}
	for range emptyRows {
		page.Others = append(page.Others, other(s, len(page.Others), tenants.QuotaDefinition{}))
	}
	return page
}

// Handing reports whether one of the lines for others says something: what is wrong
// with it must not be hidden.
func (page *quotaPage) Handing() bool {
	return slices.ContainsFunc(page.Others, func(row otherRow) bool { return row.Name.Value != "" || row.Amount.Value != "" })
}

// resource is what a definition bounds.
func resource(d tenants.QuotaDefinition) string {
	if d.ResourceName != "" {
		return d.ResourceName
	}
	return d.ResourceType
}

func counted(s *ui.Screen, name string, d tenants.QuotaDefinition) countedRow {
	row := countedRow{
		Title: s.T("quotas." + name), About: s.T("quotas." + name + ".about"), Timed: name != tenants.QuotaConcurrent,
		Number: ui.Field{Name: name, Label: s.T("quotas.number"), Kind: ui.Number, Max: 16, Bare: true},
		Unit:   ui.Field{Name: name + ".unit", Label: s.T("quotas.period"), Kind: ui.Choice},
	}
	if d.Quota != 0 {
		row.Number.Value = strconv.FormatInt(d.Quota, 10)
	}
	for _, unit := range quotaUnits {
		row.Unit.Options = append(row.Unit.Options, ui.Option{Value: unit, Label: s.T("quotas." + unit), Chosen: unit == d.Unit || d.Unit == "" && unit == usualUnit})
	}
	return row
}

func other(s *ui.Screen, i int, d tenants.QuotaDefinition) otherRow {
	field := func(name, value string) ui.Field {
		return ui.Field{Name: "other." + strconv.Itoa(i) + "." + name, Label: s.T("quotas.other." + name), Value: value, Max: 128, Bare: true}
	}
	row := otherRow{
		Index: i + 1, Name: field("name", d.ResourceName), Unit: field("unit", d.Unit), Amount: field("amount", ""),
		Qualifiers: field("qualifiers", strings.Join(d.Qualifiers, "\n")), Type: field("type", d.ResourceType),
	}
	row.Qualifiers.Kind, row.Qualifiers.Rows, row.Qualifiers.Max = ui.Area, 1, 4096
	row.Type.Kind = ui.Hidden
	if d.ResourceName == "" { // named by its type alone
		row.Name.Value, row.Type.Value = d.ResourceType, ""
	}
	if resource(d) != "" {
		row.Amount.Value = strconv.FormatInt(d.Quota, 10)
	}
	return row
}

// definitions reads what the form says. A line without a name says nothing.
func definitions(s *ui.Screen, v ui.Values) (list []tenants.QuotaDefinition, err error) {
	for _, name := range []string{tenants.QuotaRequests, tenants.QuotaConcurrent, tenants.QuotaBytes} {
		if v.Text(name) == "" {
			continue
		}
		n, err := amount(s, v, name)
		if err != nil {
			return nil, err
		}
		list = append(list, tenants.QuotaDefinition{ResourceName: name, Unit: v.Text(name + ".unit"), Quota: n})
	}
	for i := range maxRows {
		of := "other." + strconv.Itoa(i) + "."
		if v.Text(of+"name") == "" && v.Text(of+"amount") == "" {
			continue
		}
		n, err := amount(s, v, of+"amount")
		if err != nil {
			return nil, err
		}
		list = append(list, tenants.QuotaDefinition{
			ResourceName: v.Text(of + "name"), ResourceType: v.Text(of + "type"), Unit: v.Text(of + "unit"), Quota: n, Qualifiers: lines(v.Get(of + "qualifiers")),
		})
	}
	return list, nil
}

func amount(s *ui.Screen, v ui.Values, name string) (int64, error) {
	n, err := strconv.ParseInt(v.Text(name), 10, 64)
	if err != nil {
		return 0, problem.New(problem.BadRequest, "%s", s.T("quotas.nonumber")).In(name)
	}
	return n, nil
}

// lines are those of a text that say something.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// again shows what was sent, and what is wrong with it.
func (page *quotaPage) again(s *ui.Screen, v ui.Values, fault *problem.Problem) error {
	page.Form.Fill(v)
	page.Form.Blame(fault)
	for len(page.Others) < maxRows && v.Has("other."+strconv.Itoa(len(page.Others))+".name") {
		page.Others = append(page.Others, other(s, len(page.Others), tenants.QuotaDefinition{}))
	}
	for i := range page.Counted {
		refill(v, fault, &page.Counted[i].Number, &page.Counted[i].Unit)
	}
	for i := range page.Others {
		row := &page.Others[i]
		refill(v, fault, &row.Name, &row.Amount, &row.Unit, &row.Qualifiers, &row.Type)
	}
	return page.draw(s)
}

func refill(v ui.Values, fault *problem.Problem, fields ...*ui.Field) {
	for _, f := range fields {
		one := ui.Form{Fields: []ui.Field{*f}}
		one.Fill(v)
		one.Blame(fault)
		*f = one.Fields[0]
	}
}

func (page *quotaPage) draw(s *ui.Screen) error {
	title := s.T("quotas.new")
	if page.Policy.ID != "" {
		title = page.Policy.Name
	}
	return s.ShowFrame(page.Form.Status(), "orgs/quota", ui.Frame{D: page, Title: title, Trail: quotaTrail(s)})
}

func (p *Pages) showNewQuota(s *ui.Screen) error {
	return newQuotaPage(s, tenants.QuotaPolicy{}).draw(s)
}

func (p *Pages) showQuota(s *ui.Screen) error {
	q, err := p.quotaTarget(s)
	if err != nil {
		return err
	}
	return newQuotaPage(s, q).draw(s)
}

func (p *Pages) createQuota(s *ui.Screen) error {
	return p.saveQuota(s, tenants.QuotaPolicy{}, p.Tenants.CreateQuotaPolicy)
}

func (p *Pages) editQuota(s *ui.Screen) error {
	q, err := p.quotaTarget(s)
	if err != nil {
		return err
	}
	return p.saveQuota(s, q, p.Tenants.UpdateQuotaPolicy)
}

func (p *Pages) saveQuota(s *ui.Screen, q tenants.QuotaPolicy, save func(context.Context, tenants.Caller, tenants.QuotaPolicy) (tenants.QuotaPolicy, error)) error {
	v, err := s.Form()
	if err != nil {
		return err
	}
	if q.ID != "" && v.Meanwhile(q) {
		page := newQuotaPage(s, q)
		page.Form.Blame(s.Meanwhile())
		return page.draw(s)
	}
	list, err := definitions(s, v)
	if err == nil {
		_, err = save(s.Request.Context(), s.By(), tenants.QuotaPolicy{
			ID: q.ID, Org: s.Org().ID, Name: v.Text("name"), Description: v.Text("description"), Definitions: list,
		})
	}
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return newQuotaPage(s, q).again(s, v, fault)
	}
	return s.Done(s.Path(quotasAt), "quotapolicysaved")
}
