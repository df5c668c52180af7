package tenantshttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth"
	"causeway/tenants"
)

// sessionPages: a session shows its role as a list.
var sessionPages = httpapi.Pages{Shown: map[string]string{"role.id": "roleRefs.id"}}

// oversees reports whether the caller may do to all sessions of the organization
// what rights allow. Machines have to do with their own alone.
func (h *Handler) oversees(c *gin.Context, call httpapi.Call, rights []tenants.Right) bool {
	return !call.Principal.Kind.Machine() &&
		h.Orgs.Require(c.Request.Context(), call.Principal, call.Org.ID, rights...) == nil
}

func (h *Handler) sessionList(c *gin.Context, call httpapi.Call) error {
	ctx := c.Request.Context()
	q, err := httpapi.ParseList(c.Request, oauth.SessionFields, maxPageSize)
	if err != nil {
		return err
	}
	var list []oauth.Session
	var total int
	if h.oversees(c, call, oauth.SessionWatchers) {
		list, total, err = h.OAuth.Sessions(ctx, call.Org.ID, q)
	} else {
		list, total, err = h.OAuth.OwnSessions(ctx, call.Principal, q)
	}
	if err != nil {
		return err
	}
	values := make([]sessionBody, 0, len(list))
	for _, s := range list {
		p, err := h.holder(c, s)
		if err != nil {
			return err
		}
		values = append(values, h.newSession(p))
	}
	httpapi.WritePage(c, h.PublicURL, "Sessions", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

// holder is the principal of a session of this site, as the organization, which
// is in memory, names its role now.
func (h *Handler) holder(c *gin.Context, s oauth.Session) (tenants.Principal, error) {
	org, err := h.Orgs.Organization(c.Request.Context(), s.Org)
	if err != nil {
		return tenants.Principal{}, err
	}
	roleName, _ := org.RoleName(s.Role)
	return tenants.Principal{
		Kind: s.Kind, ID: s.Principal, Name: s.Name, Org: s.Org, OrgName: org.Name,
		Role: s.Role, RoleName: roleName, Session: s.ID,
	}, nil
}

// findSession looks for the session that the path names: the caller's own, whatever the
// organization in which they act, or one of that organization. What may not be
// seen looks like what is not there.
func (h *Handler) findSession(c *gin.Context, call httpapi.Call, rights []tenants.Right) (oauth.Session, error) {
	id, err := tenants.ParseID[tenants.SessionID]("session", c.Param("id"))
	if err != nil {
		return oauth.Session{}, err
	}
	p, org := call.Principal, call.Org.ID
	all := h.oversees(c, call, rights)
	if !all || id == p.Session {
		org = p.Org
	}
	found, err := h.OAuth.LiveSession(c.Request.Context(), org, id)
	if err != nil {
		return oauth.Session{}, err
	}
	if !all && !found.Of(p) {
		return oauth.Session{}, problem.Hidden()
	}
	return found, nil
}

func (h *Handler) session(c *gin.Context, call httpapi.Call) error {
	found, err := h.findSession(c, call, oauth.SessionWatchers)
	if err != nil {
		return err
	}
	p, err := h.holder(c, found)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, h.newSession(p))
	return nil
}

func (h *Handler) endSession(c *gin.Context, call httpapi.Call) error {
	found, err := h.findSession(c, call, oauth.SessionEnders)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.OAuth.EndSessionOf(c.Request.Context(), call.Caller, found.Org, found.ID))
}
