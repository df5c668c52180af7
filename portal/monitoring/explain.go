package monitoring

import (
	"maps"
	"net/http"
	"slices"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/refusal"
	"causeway/internal/trail"
	"causeway/portal/ui"
)

// explainPage says why a request was refused, or what it did.
type explainPage struct {
	ID      string
	Fault   *problem.Problem
	Found   *refusal.Explanation
	Code    string // the answer in words
	Message string
	Facts   []fact
	Did     []event // of a request that was not refused
}

type fact struct{ Name, Value string }

// mostDone bounds what is shown of one request's changes.
const mostDone = 50

func (p *Pages) explain(s *ui.Screen) error {
	page := explainPage{ID: s.Query("id")}
	if page.ID == "" {
		return s.Show("monitoring/explain", "explain.title", page)
	}
	id, ok := httpapi.ReadRequestID(page.ID)
	if !ok {
		page.Fault = problem.New(problem.BadRequest, "%s", s.T("explain.noid"))
		return s.ShowStatus(http.StatusBadRequest, "monitoring/explain", "explain.title", page)
	}
	page.ID = id
	shown, err := p.Refusals.Find(s.Request.Context(), s.By().Principal, s.Org().ID, id)
	switch {
	case problem.Has(err, problem.NotFound):
		return p.unknown(s, page)
	case err != nil:
		return err
	}
	why := refusal.Explain(shown)
	page.Found, page.Code, page.Message = &why, codeWords(s, shown.Code), shown.Message
	for _, name := range slices.Sorted(maps.Keys(shown.Facts)) {
		page.Facts = append(page.Facts, fact{factName(s, name), shown.Facts[name]})
	}
	return s.Show("monitoring/explain", "explain.title", page)
}

// unknown is for a request of which no refusal is kept. It may have done something.
func (p *Pages) unknown(s *ui.Screen, page explainPage) error {
	org := s.Org().Name
	if s.Provider() {
		org = s.T("explain.anyorg")
	}
	nothing := refusal.ExplainNothing(page.ID, p.SiteName(), org)
	page.Found = &nothing
	found, err := p.Trail.Search(s.Request.Context(), s.By().Principal, s.Org().ID, trail.Filter{RequestID: page.ID}, 0, mostDone)
	if err != nil {
		return err
	}
	names := p.names()
	for _, row := range found.Rows {
		e, err := p.event(s, names, row)
		if err != nil {
			return err
		}
		page.Did = append(page.Did, e)
	}
	return s.Show("monitoring/explain", "explain.title", page)
}

// factName is a fact's name in words, where there are some.
func factName(s *ui.Screen, name string) string {
	if key := "explain.fact." + name; s.T(key) != "["+key+"]" {
		return s.T(key)
	}
	return name
}
