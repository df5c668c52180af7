package monitoring

import (
	"context"
	"net/url"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/portal/ui"
	"causeway/tenants"
)

// asked are the parts of an address that say what is looked for.
type asked struct {
	Org, Actor, Action, Subject, Request, Code, From, Until string

	org         tenants.OrgID // of Org
	from, until time.Time     // of From and Until
	path        string
}

// mostAsked bounds what is looked for, in bytes.
const mostAsked = 200

// ask reads what is looked for. What is wrong with it is a fault of the form; then
// nothing is to be searched for.
func (p *Pages) ask(s *ui.Screen) (a asked, fault *problem.Problem, err error) {
	a.path = s.Request.URL.EscapedPath()
	for name, into := range a.fields() {
		*into = strings.TrimSpace(s.Query(name))
		if len(*into) > mostAsked {
			return a, problem.New(problem.BadRequest, "%s", s.T("audit.long", mostAsked)), nil
		}
	}
	var ok bool
	if a.from, ok = readTime(a.From); !ok {
		return a, problem.New(problem.BadRequest, "%s", s.T("audit.notime", a.From)), nil
	}
	if a.until, ok = readTime(a.Until); !ok {
		return a, problem.New(problem.BadRequest, "%s", s.T("audit.notime", a.Until)), nil
	}
	if !s.Provider() || a.Org == "" {
		a.Org = ""
		return a, nil, nil
	}
	org, err := p.Orgs.ByName(s.Request.Context(), a.Org)
	if problem.Has(err, problem.NotFound) {
		return a, problem.New(problem.BadRequest, "%s", s.T("audit.noorg", a.Org)), nil
	}
	if err == nil {
		a.org = org.ID
	}
	return a, nil, err
}

func (a *asked) fields() map[string]*string {
	return map[string]*string{
		"org": &a.Org, "actor": &a.Actor, "action": &a.Action, "subject": &a.Subject,
		"request": &a.Request, "code": &a.Code, "from": &a.From, "until": &a.Until,
	}
}

// query is the part of an address that asks for the same, with more.
func (a asked) query(more ...string) string {
	q := url.Values{}
	for name, value := range a.fields() {
		if *value != "" {
			q.Set(name, *value)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Narrowed reports whether anything is looked for.
func (a asked) Narrowed() bool { return a.query() != "" }

// Clear is the page without it.
func (a asked) Clear() string { return a.path }

// forms of times that fields send and that people type, in UTC.
var timeForms = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02", time.RFC3339}

// readTime reads a time, the zero one of nothing.
func readTime(given string) (time.Time, bool) {
	if given == "" {
		return time.Time{}, true
	}
	for _, form := range timeForms {
		if t, err := time.Parse(form, given); err == nil && t.Year() > 0 && t.Year() < 10000 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// names finds the names of organizations once for a page; one that is gone has none.
type names struct {
	of    *tenants.Directory
	known map[tenants.OrgID]string
}

func (p *Pages) names() names { return names{p.Orgs, map[tenants.OrgID]string{}} }

func (n names) name(ctx context.Context, id tenants.OrgID) (string, error) {
	if id == "" {
		return "", nil
	}
	if name, ok := n.known[id]; ok {
		return name, nil
	}
	org, err := n.of.Organization(ctx, id)
	switch {
	case problem.Has(err, problem.NotFound):
		n.known[id] = ""
	case err != nil:
		return "", err
	default:
		n.known[id] = org.Name
	}
	return n.known[id], nil
}
