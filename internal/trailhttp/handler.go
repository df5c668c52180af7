// Package trailhttp is the HTTP face of package trail: the audit trail in the order in
// which it was written, for those who keep it elsewhere.
package trailhttp

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/trail"
	"causeway/tenants"
)

// Path is where the trail is read.
const Path = httpapi.OwnAPI + "/auditTrail"

// mostRows are those of one answer: some hundred kilobytes.
const mostRows = 1000

// Handler serves the endpoint.
type Handler struct {
	Trail *trail.Service
	Orgs  *tenants.Directory
}

// Endpoints lists what the handler serves.
func (h *Handler) Endpoints() httpapi.Endpoints {
	rights := []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	return httpapi.Endpoints{Routes: []httpapi.Route{{Method: http.MethodGet, Path: Path, Rights: rights, Do: h.read}}}
}

// Part is what an answer holds. The client goes on after Next while there is More.
type Part struct {
	Values []trail.Record `json:"values"`
	Next   int64          `json:"next"`
	More   bool           `json:"more"`
	// Head is the end of the journal, for the provider.
	Head *journal.Head `json:"head,omitempty"`
}

// read shows a part of what was written in the organization in which the request is
// fulfilled; the provider's own shows all.
func (h *Handler) read(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	asked, err := h.asked(ctx, call, q)
	if err != nil {
		return err
	}
	found, err := h.find(ctx, call, asked)
	if err != nil {
		return err
	}
	body := Part{Values: []trail.Record{}, Next: found.Next, More: found.More}
	by := h.Trail.Recorder(call.Principal)
	for _, row := range found.Rows {
		r, err := by.Record(ctx, row)
		if err != nil {
			return err
		}
		body.Values = append(body.Values, r)
	}
	if call.Principal.Provider() && found.Head.Seq > 0 {
		body.Head = &found.Head
	}
	httpapi.JSON(c, http.StatusOK, body)
	return nil
}

func (h *Handler) find(ctx context.Context, call httpapi.Call, a asked) (trail.Part, error) {
	if !a.newest {
		return h.Trail.Read(ctx, call.Principal, call.Org.ID, a.filter, a.from, a.most)
	}
	found, err := h.Trail.Search(ctx, call.Principal, call.Org.ID, a.filter, a.from, a.most)
	return trail.Part{Rows: found.Rows, Next: found.Next, More: found.Next > 0}, err
}

// asked is what a request looks for.
type asked struct {
	filter trail.Filter
	newest bool // the newest first, before from
	from   int64
	most   int
}

func (h *Handler) asked(ctx context.Context, call httpapi.Call, q url.Values) (a asked, err error) {
	one := func(name string) (value string) {
		if all := q[name]; len(all) > 1 && err == nil {
			err = problem.New(problem.BadRequest, "The query parameter %s is given twice.", name)
		} else if len(all) == 1 {
			value = all[0]
		}
		q.Del(name)
		return value
	}
	after, before, size := one("after"), one("before"), one("pageSize")
	org, from, until := one("org"), one("from"), one("until")
	a.filter = trail.Filter{
		Actor: one("actor"), ActorID: one("actorId"), Subject: one("subject"), SubjectID: one("subjectId"),
		Action: journal.Action(one("action")), RequestID: one("requestId"),
	}
	if err != nil {
		return a, err
	}
	if len(q) > 0 {
		return a, problem.New(problem.BadRequest, "There is no query parameter %.64q.", slices.Sorted(maps.Keys(q))[0])
	}
	if a.newest = before != ""; a.newest && after != "" {
		return a, problem.New(problem.BadRequest, "after and before exclude each other.")
	}
	if a.from, err = number("after or before", after+before, 0, 0, 1<<62); err != nil {
		return a, err
	}
	most, err := number("pageSize", size, 128, 1, mostRows)
	if err != nil {
		return a, err
	}
	a.most = int(most)
	if a.filter.From, err = moment("from", from); err != nil {
		return a, err
	}
	if a.filter.Until, err = moment("until", until); err != nil {
		return a, err
	}
	if org != "" {
		a.filter.Org, err = h.organization(ctx, call, org)
	}
	return a, err
}

// organization finds the one that the provider names. Whoever else names another than
// their own learns nothing of whether it is there.
func (h *Handler) organization(ctx context.Context, call httpapi.Call, named string) (tenants.OrgID, error) {
	if id, err := tenants.ParseID[tenants.OrgID]("org", named); err == nil {
		return id, nil
	}
	found, err := h.Orgs.ByName(ctx, named)
	if problem.Has(err, problem.NotFound) && call.Principal.Provider() {
		return "", problem.New(problem.BadRequest, "There is no organization named %.128q.", named)
	}
	if problem.Has(err, problem.NotFound) {
		return "", problem.Hidden()
	}
	if err != nil {
		return "", err
	}
	return found.ID, nil
}

func number(name, given string, usual, least, most int64) (int64, error) {
	if given == "" {
		return usual, nil
	}
	n, err := strconv.ParseInt(given, 10, 64)
	if err != nil || n < least || n > most {
		return 0, problem.New(problem.BadRequest, "%s is a number from %d to %d.", name, least, most)
	}
	return n, nil
}

func moment(name, given string) (time.Time, error) {
	if given == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, given)
	if err != nil {
		return at, problem.New(problem.BadRequest, "%s is a time as 2026-01-02T15:04:05Z.", name)
	}
	return at.UTC(), nil
}
