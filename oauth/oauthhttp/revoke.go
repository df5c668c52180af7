package oauthhttp

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
)

// revokeToken ends what a token gives access to (RFC 7009). As with the token
// endpoint the client does not authenticate: it shows what it holds. Which type it
// says the token is of does not matter.
func (h *Handler) revokeToken(c *gin.Context) error {
	form, err := httpapi.ParseForm(c.Request)
	if err != nil {
		return err
	}
	token := form.Get("token")
	if token == "" {
		return h.refused(c, problem.New(problem.InvalidRequest, "token is required."))
	}
	client, err := optionalClientID(form)
	if err != nil {
		return h.refused(c, err)
	}
	org, err := h.realmOrNone(c)
	if err != nil {
		return err
	}
	// In a disabled organization tokens can be revoked: they would work again when it is
	// enabled.
	revoked, err := h.OAuth.RevokeToken(c.Request.Context(), httpapi.Anonymous(c), org.ID, client, secret.Text(token))
	if err == nil && !revoked {
		err = problem.New(problem.ExpiredToken, "There was nothing to revoke.")
	}
	// What was not there is a guess, for all we know: it counts as one and looks like
	// success (RFC 7009 §2.2).
	if err = h.refused(c, err); err != nil && !problem.Has(err, problem.ExpiredToken) {
		return err
	}
	httpapi.NoStore(c)
	c.Status(http.StatusOK)
	c.Writer.WriteHeaderNow()
	return nil
}
