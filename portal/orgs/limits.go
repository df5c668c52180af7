package orgs

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/ratelimit"
	"causeway/tenants"
)

// No tenant can hold these rights.
var (
	viewLimits   = []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
	manageLimits = []tenants.Right{tenants.RightSiteManage}
)

func (p *Pages) limitPages() []ui.Page {
	const path = at + "/:id/limits"
	return []ui.Page{
		{Path: path, In: ui.Provider, Rights: viewLimits, Do: p.showLimits},
		{Method: http.MethodPost, Path: path, In: ui.Provider, Rights: manageLimits, Do: p.setLimits},
	}
}

// limitShown is one bucket in words.
type limitShown struct{ Title, Own, Site string }

// limitRow is one bucket in the form. Its fields are empty where the site's budget
// holds.
type limitRow struct {
	limitShown
	ID, About, Fault   string
	Tokens, Per, Burst ui.Field
	Exact              bool // it holds exactly, and has no burst
}

type limitsPage struct {
	Rows   []limitRow
	Form   ui.Form // without its fields
	Seen   ui.Field
	Change bool
}

func limitKey(b ratelimit.OwnBucket) string { return string(b.Name) + "." + string(b.Kind) }

func budgetWords(s *ui.Screen, b ratelimit.Budget) string {
	b = b.Whole()
	return s.T("limits.budget", grouped(b.Tokens), words(s, b.Per), grouped(b.Burst))
}

// ownLimits are the budgets that an organization has of its own.
func (p *Pages) ownLimits(s *ui.Screen, org tenants.OrgID) (shown []limitShown, err error) {
	own, err := p.Tenants.OrganizationLimits(s.Request.Context(), org)
	if err != nil {
		return nil, err
	}
	for _, b := range ratelimit.OwnBuckets() {
		if budget, ok := own[b.Name][b.Kind]; ok {
			shown = append(shown, limitShown{s.T("limits." + limitKey(b)), budgetWords(s, budget), budgetWords(s, p.Limits.Budget(b))})
		}
	}
	return shown, nil
}

func (p *Pages) limitRow(s *ui.Screen, b ratelimit.OwnBucket) limitRow {
	key := limitKey(b)
	return limitRow{
		limitShown: limitShown{Title: s.T("limits." + key), Site: budgetWords(s, p.Limits.Budget(b))},
		ID:         key, About: s.T("limits." + key + ".about"), Exact: b.Name == ratelimit.UserCode,
		Tokens: ui.Field{Name: key + ".tokens", Label: s.T("limits.tokens"), Kind: ui.Number, Max: 7, Bare: true},
		Per:    ui.Field{Name: key + ".per", Label: s.T("limits.per"), Max: 20, Bare: true},
		Burst:  ui.Field{Name: key + ".burst", Label: s.T("limits.burst"), Kind: ui.Number, Max: 7, Bare: true},
	}
}

func (p *Pages) showLimits(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	return p.drawOwnLimits(s, org, nil)
}

// drawOwnLimits draws the form as things are.
func (p *Pages) drawOwnLimits(s *ui.Screen, org *tenants.Snapshot, fault *problem.Problem) error {
	own, err := p.Tenants.OrganizationLimits(s.Request.Context(), org.ID)
	if err != nil {
		return err
	}
	var rows []limitRow
	for _, b := range ratelimit.OwnBuckets() {
		row := p.limitRow(s, b)
		if budget, ok := own[b.Name][b.Kind]; ok {
			budget = budget.Whole()
			row.Own = budgetWords(s, budget)
			row.Tokens.Value, row.Per.Value, row.Burst.Value = strconv.Itoa(budget.Tokens), spanText(budget.Per), strconv.Itoa(budget.Burst)
		}
		rows = append(rows, row)
	}
	return p.drawLimits(s, org, rows, ui.Seen(own), fault)
}

func (p *Pages) drawLimits(s *ui.Screen, org *tenants.Snapshot, rows []limitRow, seen ui.Field, fault *problem.Problem) error {
	page := limitsPage{
		Rows: rows, Seen: seen, Change: s.Can(manageLimits...),
		Form: ui.Form{Submit: s.T("limits.save"), Cancel: s.Path(at, string(org.ID)), Fault: fault},
	}
	return s.ShowFrame(page.Form.Status(), "orgs/limits", ui.Frame{
		D: page, Title: s.T("limits.title", org.Name), Trail: trail(s, org.Organization),
	})
}

// setLimits replaces the organization's own budgets by what the form says. What it
// leaves empty is as the site has it.
func (p *Pages) setLimits(s *ui.Screen) error {
	org, err := p.target(s)
	if err != nil {
		return err
	}
	v, err := s.Form()
	if err != nil {
		return err
	}
	limits, rows := ratelimit.Limits{}, []limitRow(nil)
	for _, b := range ratelimit.OwnBuckets() {
		row := p.limitRow(s, b)
		if budget, given := row.read(s, v); given && row.Fault == "" {
			row.Fault = p.refuses(b, budget)
			if limits[b.Name] == nil {
				limits[b.Name] = map[ratelimit.Kind]ratelimit.Budget{}
			}
			limits[b.Name][b.Kind] = budget
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if row.Fault != "" {
			err = problem.New(problem.BadRequest, "%s", s.T("limits.fault"))
		}
	}
	own, lost := p.Tenants.OrganizationLimits(s.Request.Context(), org.ID)
	if lost != nil {
		return lost
	}
	if v.Meanwhile(own) {
		return p.drawOwnLimits(s, org, s.Meanwhile())
	}
	if err == nil {
		err = p.Tenants.SetOrganizationLimits(s.Request.Context(), s.By(), org.ID, limits)
	}
	if err != nil {
		fault, err := s.Fault(err)
		if err != nil {
			return err
		}
		return p.drawLimits(s, org, rows, ui.Seen(own), fault)
	}
	return s.Done(s.Path(at, string(org.ID)), "limitssaved")
}

// read takes what was sent for the row, and says what of it is no number.
func (r *limitRow) read(s *ui.Screen, v ui.Values) (b ratelimit.Budget, given bool) {
	for _, f := range []*ui.Field{&r.Tokens, &r.Per, &r.Burst} {
		f.Value = v.Text(f.Name)
		given = given || f.Value != ""
	}
	if !given {
		return b, false
	}
	var err error
	if b.Tokens, err = strconv.Atoi(r.Tokens.Value); err != nil {
		r.Fault = s.T("limits.fault.tokens")
	}
	per, ok := parseSpan(r.Per.Value)
	if b.Per = per.Truncate(time.Microsecond); !ok {
		r.Fault = s.T("limits.fault.per")
	}
	if r.Burst.Value != "" {
		if b.Burst, err = strconv.Atoi(r.Burst.Value); err != nil {
			r.Fault = s.T("limits.fault.burst")
		}
	}
	return b.Whole(), true
}

// refuses is what is wrong with one budget by itself. What is wrong between several
// is for the whole set to say.
func (p *Pages) refuses(b ratelimit.OwnBucket, budget ratelimit.Budget) string {
	err := p.Limits.ValidateOrg(ratelimit.Limits{b.Name: {b.Kind: budget}})
	if err == nil {
		return ""
	}
	var own []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if about, ok := strings.CutPrefix(line, string(b.Name)+": "+string(b.Kind)+": "); ok {
			own = append(own, about)
		}
	}
	return strings.Join(own, "; ")
}
