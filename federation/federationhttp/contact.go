package federationhttp

import (
	"io"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"causeway/federation/contact"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// Contact answers what associated sites ask to stay informed.
type Contact struct{ Service *contact.Service }

// Endpoints lists what the handler serves.
func (h *Contact) Endpoints() httpapi.Endpoints {
	return httpapi.Endpoints{Between: []httpapi.Between{
		{Method: http.MethodPost, Path: contact.HeartbeatPath, Do: h.heartbeat},
		{Method: http.MethodGet, Path: contact.OrgsPath, Do: h.orgs},
		{Method: http.MethodGet, Path: contact.RevocationsPath, Do: h.revocations},
	}}
}

func (h *Contact) heartbeat(c *gin.Context, from tenants.SiteID) error {
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, contact.MaxHeartbeat+1))
	if err != nil {
		return problem.Wrap(err, problem.BadRequest, "The body could not be read.")
	}
	theirs, err := contact.ParseHeartbeat(body)
	if err != nil {
		return err
	}
	ours, err := h.Service.Hear(c.Request.Context(), from, theirs)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, ours)
	return nil
}

func (h *Contact) orgs(c *gin.Context, from tenants.SiteID) error {
	query, err := parseQuery(c)
	if err != nil {
		return err
	}
	q, err := contact.ParseOrgQuery(query)
	if err != nil {
		return err
	}
	page, err := h.Service.Orgs(c.Request.Context(), from, q)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, page)
	return nil
}

// revocations may hold the question open: no longer than the server's own
// timeouts allow.
func (h *Contact) revocations(c *gin.Context, from tenants.SiteID) error {
	query, err := parseQuery(c)
	if err != nil {
		return err
	}
	since, wait, err := contact.ParseFeedQuery(query)
	if err != nil {
		return err
	}
	ended, err := h.Service.Revoked(c.Request.Context(), from, since, wait)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, ended)
	return nil
}

func parseQuery(c *gin.Context) (url.Values, error) {
	return httpapi.ParseQuery(c.Request.URL.RawQuery)
}
