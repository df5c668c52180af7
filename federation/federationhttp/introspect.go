package federationhttp

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation/direct"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Introspection tells associated sites whether sessions still stand whose tokens
// were shown to them.
type Introspection struct {
	Sessions Sessions
	// Admits answers nil while organizations of the asking site and of ours are
	// associated, completely, so that ours may act in theirs.
	Admits func(ctx context.Context, from tenants.SiteID, ours, theirs tenants.OrgID) error
	// IdP says how users of this site are known, as assertions do.
	IdP string
	// Spend takes a question from the asking site's share, or refuses it.
	Spend func(from tenants.SiteID) error
}

// Sessions looks a session up by its id.
type Sessions interface {
	Abroad(ctx context.Context, org tenants.OrgID, id tenants.SessionID) (tenants.Principal, time.Time, error)
}

// Endpoints lists what the handler serves.
func (h *Introspection) Endpoints() httpapi.Endpoints {
	return httpapi.Endpoints{Between: []httpapi.Between{{Method: http.MethodPost, Path: direct.IntrospectPath, Do: h.introspect}}}
}

// introspect answers about organizations that are associated with the asker's, and
// about no others: whatever is wrong looks the same as a session that has ended.
func (h *Introspection) introspect(c *gin.Context, from tenants.SiteID) error {
	if err := h.Spend(from); err != nil {
		return err
	}
	q, err := direct.ParseQuestion(c.Request.Body)
	if err != nil {
		return err
	}
	a, err := h.answer(c.Request.Context(), from, q)
	if err != nil {
		return err
	}
	httpapi.NoStoreJSON(c, http.StatusOK, a)
	return nil
}

func (h *Introspection) answer(ctx context.Context, from tenants.SiteID, q direct.Question) (direct.Answer, error) {
	if err := h.Admits(ctx, from, q.Org, q.Here); err != nil {
		if problem.Has(err, problem.Forbidden) {
			return direct.Answer{}, nil
		}
		return direct.Answer{}, err
	}
	who, ends, err := h.Sessions.Abroad(ctx, q.Org, q.Session)
	if problem.Has(err, problem.Unauthenticated) {
		return direct.Answer{}, nil
	}
	if err != nil {
		return direct.Answer{}, err
	}
	a := direct.Answer{Active: true, Kind: string(who.Kind), ID: who.ID, Name: who.Name, SoftwareID: who.SoftwareID, ExpiresAt: ends}
	if who.Kind == tenants.KindUser {
		a.IdP = h.IdP
	}
	return a, nil
}
