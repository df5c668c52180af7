package monitoring

import (
	"context"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"

	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/trail"
	"causeway/internal/version"
	"causeway/portal/ui"
	"causeway/tenants"
)

// pageOf is how many rows a page shows.
const pageOf = 50

// auditPage is a part of the trail, the newest first.
type auditPage struct {
	asked
	Fault   *problem.Problem
	Actions []ui.Option
	Rows    []event
	Looked  time.Time // up to when the search got, where it has to go on
	Newest  string    // address of the beginning, where this is not it
	Older   string    // address of what follows
	Export  string
	CEF     string // the export for collectors of events
	Verify  bool
}

// event is a row as a sentence: Who Did What.
type event struct {
	Seq       int64
	At        time.Time
	Who, Did  string
	What      string
	WhatPath  string // of the subject's page
	Org       string
	From      string
	RequestID string
	Details   []ui.Detail
	Path      string // of the row's own page
	Explain   string
}

func (p *Pages) audit(s *ui.Screen) error {
	a, fault, err := p.ask(s)
	if err != nil {
		return err
	}
	page := auditPage{asked: a, Fault: fault, Actions: actions(s, a.Action), Verify: s.Provider()}
	if fault != nil {
		return s.ShowStatus(http.StatusBadRequest, "monitoring/audit", "audit.title", page)
	}
	before, _ := strconv.ParseInt(s.Query("before"), 10, 64) // what is no number is the beginning
	ctx, who := s.Request.Context(), s.By().Principal
	found, err := p.Trail.Search(ctx, who, s.Org().ID, a.filter(), before, pageOf)
	if err != nil {
		return err
	}
	names := p.names()
	for _, row := range found.Rows {
		e, err := p.event(s, names, row)
		if err != nil {
			return err
		}
		page.Rows = append(page.Rows, e)
	}
	if before > 0 {
		page.Newest = a.path + a.query()
	}
	if found.Next > 0 {
		page.Older = a.path + a.query("before", strconv.FormatInt(found.Next, 10))
		if len(found.Rows) < pageOf {
			page.Looked = found.Looked
		}
	}
	export := s.Path("monitor/audit/export")
	page.Export, page.CEF = export+a.query(), export+a.query("format", "cef")
	return s.Show("monitoring/audit", "audit.title", page)
}

func (a asked) filter() trail.Filter {
	return trail.Filter{
		Org: a.org, Actor: a.Actor, Action: journal.Action(a.Action), Subject: a.Subject, RequestID: a.Request, From: a.from, Until: a.until,
	}
}

// actions are what can be looked for, in words.
func actions(s *ui.Screen, chosen string) []ui.Option {
	var list []ui.Option
	for _, action := range journal.Actions() {
		list = append(list, ui.Option{Value: string(action), Label: s.T("audit.did."+string(action)) + " …", Chosen: string(action) == chosen})
	}
	return list
}

func (p *Pages) event(s *ui.Screen, n names, row journal.Row) (event, error) {
	ctx := s.Request.Context()
	org, err := n.name(ctx, tenants.OrgID(row.Org))
	if err != nil {
		return event{}, err
	}
	who, err := actor(ctx, s, n, row)
	if err != nil {
		return event{}, err
	}
	e := event{
		Seq: row.Seq, At: row.At, Who: who, Did: s.T("audit.did." + string(row.Action)), What: row.Subject.Name, Org: org,
		From: trail.Address(s.By().Principal, row), RequestID: row.RequestID,
		Path: s.Path("monitor/audit/entry", strconv.FormatInt(row.Seq, 10)),
	}
	if e.What == "" {
		e.What = row.Subject.ID
	}
	if e.Details, err = details(ctx, s, n, row); err != nil {
		return event{}, err
	}
	if row.RequestID != "" {
		e.Explain = s.Path("monitor/explain") + "?id=" + row.RequestID
	}
	e.WhatPath = subjectPath(s, row, org)
	return e, nil
}

// details are what the row tells besides, with organizations by their names.
func details(ctx context.Context, s *ui.Screen, n names, row journal.Row) ([]ui.Detail, error) {
	told := maps.Clone(row.Detail)
	for _, key := range []string{"organization", "owner"} {
		switch name, err := n.name(ctx, tenants.OrgID(told[key])); {
		case err != nil:
			return nil, err
		case name != "":
			told[key] = name
		}
	}
	return s.Details(told), nil
}

// actor names who did something, and of where, if they are from elsewhere.
func actor(ctx context.Context, s *ui.Screen, n names, row journal.Row) (string, error) {
	a := row.Actor
	switch a.Kind {
	case journal.System.Kind:
		return s.T("audit.actor.system"), nil
	case "anonymous":
		return s.T("audit.actor.anonymous"), nil
	}
	name := a.Name
	if name == "" {
		name = a.ID
	}
	kind := s.T("audit.actor."+a.Kind, name)
	if a.Org == "" || a.Org == row.Org {
		return kind, nil
	}
	if home, err := n.name(ctx, tenants.OrgID(a.Org)); err != nil || home != "" {
		return s.T("audit.actor.of", kind, home), err
	}
	return kind, nil
}

// exportAudit writes what the page would show, all pages of it, the oldest first: as
// JSON lines, or where the address says so as CEF.
func (p *Pages) exportAudit(s *ui.Screen) error {
	a, fault, err := p.ask(s)
	if err != nil {
		return err
	}
	if fault != nil {
		return fault
	}
	name, media, as := "audit.jsonl", lines, trail.JSONLines()
	if s.Query("format") == "cef" {
		name, media, as = "audit.cef", "text/plain; charset=utf-8", trail.CEF(version.Get().Version)
	}
	return s.Attach(name, media, func(w io.Writer, next func()) error {
		return p.Trail.Export(s.Request.Context(), s.By().Principal, s.Org().ID, a.filter(), as, w, next)
	})
}

// lines is the media type of JSON lines.
const lines = "application/jsonl; charset=utf-8"

// entryPage is one row with its receipt.
type entryPage struct {
	event
	Live, Applied      int
	Refusing, Waiting  int
	WaitingFor         []string
	Sites              []string
	Complete, Elapsed  bool
	LastHere, LastDies time.Time
}

// entry shows a row and where it has taken effect.
func (p *Pages) entry(s *ui.Screen) error {
	seq, err := strconv.ParseInt(s.Param("seq"), 10, 64)
	if err != nil || seq < 1 || seq == math.MaxInt64 {
		return problem.Hidden()
	}
	ctx := s.Request.Context()
	r, err := p.Receipts.Find(ctx, s.Org().ID, seq, func(journal.Row) bool { return true }) // as the page's rights say
	if err != nil {
		return err
	}
	names := p.names()
	e, err := p.event(s, names, r.Row)
	if err != nil {
		return err
	}
	page := entryPage{
		event: e, Live: r.Live, Applied: r.Applied, Refusing: r.Refusing, Waiting: len(r.Waiting), Complete: r.Complete(),
		LastHere: r.LastHere, LastDies: r.LastTokenDiesAt(), Elapsed: r.Complete() && !p.Now().Before(r.LastTokenDiesAt()),
	}
	if s.By().Principal.Provider() {
		page.WaitingFor = r.Waiting
	}
	for _, site := range r.Sites {
		page.Sites = append(page.Sites, site.Name)
	}
	title := s.T("audit.entry.title", seq)
	return s.ShowFrame(http.StatusOK, "monitoring/entry", ui.Frame{D: page, Title: title, Trail: []ui.Crumb{{Text: s.T("audit.title"), Path: s.Path("monitor/audit")}}})
}
