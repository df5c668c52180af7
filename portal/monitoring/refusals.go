package monitoring

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"causeway/internal/fiql"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/portal/ui"
	"causeway/tenants"
)

// refusalPage is a page of what was refused.
type refusalPage struct {
	asked
	Fault  *problem.Problem
	Codes  []ui.Option
	List   *ui.List
	Rows   []refused
	Newest bool // of the whole site, of which only the newest are searched
	Most   int
	Export string
}

// refused is a refusal as a row.
type refused struct {
	refusal.Shown
	At      time.Time
	Who     string
	Says    string // the answer in words
	Explain string
}

func (p *Pages) refusals(s *ui.Screen) error {
	a, fault, err := p.ask(s)
	if err != nil {
		return err
	}
	page := refusalPage{asked: a, Fault: fault, Codes: codes(s, a.Code), Newest: s.Provider() && a.org == "", Most: refusal.Listed}
	if fault != nil {
		return s.ShowStatus(http.StatusBadRequest, "monitoring/refusals", "audit.refusals.title", page)
	}
	if page.List, err = s.List(ui.ListOf{Fields: refusal.Fields}); err != nil {
		return err
	}
	shown, total, err := p.refused(s, a, page.List.Query)
	if err != nil {
		return err
	}
	page.List.Total = total
	for _, r := range shown {
		page.Rows = append(page.Rows, row(s, r))
	}
	page.Export = s.Path("monitor/audit/refusals/export") + a.query()
	return s.Show("monitoring/refusals", "audit.refusals.title", page)
}

func row(s *ui.Screen, r refusal.Shown) refused {
	out := refused{Shown: r, Who: r.Actor.Name, Says: codeWords(s, r.Code), Explain: s.Path("monitor/explain") + "?id=" + r.RequestID}
	out.At, _ = time.Parse(time.RFC3339, r.Time) // what cannot be read is shown as never
	if r.Route == "instance" {
		out.Route = s.T("audit.refusals.instance")
	}
	switch {
	case r.Actor.Kind == refusal.ActorSite:
		out.Who = s.T("audit.actor.site", r.Actor.ID)
	case out.Who == "":
		out.Who = s.T("audit.actor.anonymous")
	case r.Actor.Organization != nil && r.Actor.Organization.ID != r.Organization.ID:
		out.Who = s.T("audit.actor.of", out.Who, r.Actor.Organization.Name)
	}
	return out
}

// refused reads a page. The provider reads what is newest of all, or all of one
// organization.
func (p *Pages) refused(s *ui.Screen, a asked, q tenants.Query) (list []refusal.Shown, total int, err error) {
	filter := a.conditions()
	if len(filter) > 0 {
		if q.Where, q.Args, err = fiql.Compile(filter, refusal.Fields); err != nil {
			return nil, 0, err
		}
	}
	ctx, who, org := s.Request.Context(), s.By().Principal, s.Org().ID
	if s.Provider() && a.org == "" {
		return p.Refusals.Newest(ctx, who, q)
	}
	if a.org != "" {
		org = a.org
	}
	return p.Refusals.List(ctx, who, org, filter, q)
}

// conditions are what is looked for as a filter of the API.
func (a asked) conditions() (all fiql.And) {
	add := func(selector string, op fiql.Op, value string) {
		all = append(all, fiql.Comparison{Selector: selector, Op: op, Value: value})
	}
	if a.Request != "" {
		add("requestId", fiql.Equal, a.Request)
	}
	if a.Code != "" {
		add("code", fiql.Equal, a.Code)
	}
	if a.Actor != "" {
		all = append(all, fiql.Or{
			fiql.Comparison{Selector: "actor", Op: fiql.Equal, Value: "*" + strings.ReplaceAll(a.Actor, "*", "") + "*"},
			fiql.Comparison{Selector: "actorId", Op: fiql.Equal, Value: a.Actor},
		})
	}
	if !a.from.IsZero() {
		add("time", fiql.GreaterOrEqual, a.from.Format(time.RFC3339Nano))
	}
	if !a.until.IsZero() {
		add("time", fiql.Less, a.until.Format(time.RFC3339Nano))
	}
	return all
}

func codes(s *ui.Screen, chosen string) []ui.Option {
	var list []ui.Option
	for _, c := range refusal.Codes() {
		list = append(list, ui.Option{Value: c, Label: codeWords(s, c), Chosen: c == chosen})
	}
	return list
}

func codeWords(s *ui.Screen, code string) string { return s.T("explain.code." + code) }

// exportRefusals writes what the list would show, all pages of it, as the API's
// rows.
func (p *Pages) exportRefusals(s *ui.Screen) error {
	a, fault, err := p.ask(s)
	if err != nil {
		return err
	}
	if fault != nil {
		return fault
	}
	if now := p.Now(); a.until.IsZero() || a.until.After(now) {
		a.until = now // what comes meanwhile would move the pages on
	}
	return s.Attach("refusals.jsonl", lines, func(w io.Writer, next func()) error {
		out := json.NewEncoder(w)
		for q := (tenants.Query{Page: 1, PageSize: 1000}); (q.Page-1)*q.PageSize < refusal.Listed; q.Page++ {
			list, _, err := p.refused(s, a, q)
			if err != nil {
				return err
			}
			next()
			for _, r := range list {
				if err := out.Encode(r); err != nil {
					return err
				}
			}
			if len(list) < q.PageSize {
				return nil
			}
		}
		return out.Encode(cut{refusal.Listed})
	})
}

// cut is the last line of an export that leaves something out.
type cut struct {
	After int `json:"cutOffAfterRows"`
}
