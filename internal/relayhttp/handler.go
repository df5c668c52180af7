// Package relayhttp is the HTTP face of package relay: the webhooks that the provider
// sets, and what they did not take. It parses, calls and renders.
package relayhttp

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/relay"
	"causeway/internal/secret"
	"causeway/tenants"
)

// Handler serves the endpoints.
type Handler struct {
	Webhooks  *relay.Service
	PublicURL string // https://host[:port], from configuration only
}

// Path is where webhooks are.
const Path = httpapi.OwnAPI + "/auditWebhooks"

// Endpoints lists what the handler serves. Who sets a webhook reads all that it is
// told, so the provider at home alone may.
func (h *Handler) Endpoints() httpapi.Endpoints {
	view := []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	manage := []tenants.Right{tenants.RightSiteManage}
	return httpapi.Endpoints{Routes: []httpapi.Route{
		{Method: http.MethodGet, Path: Path, Rights: view, Do: home(h.list)},
		{Method: http.MethodPost, Path: Path, Rights: manage, Do: home(h.create)},
		{Method: http.MethodGet, Path: Path + "/:id", Rights: view, Do: home(h.get)},
		{Method: http.MethodPut, Path: Path + "/:id", Rights: manage, Do: home(h.update)},
		{Method: http.MethodDelete, Path: Path + "/:id", Rights: manage, Do: home(h.delete)},
		{Method: http.MethodPost, Path: Path + "/:id/secret", Rights: manage, Do: home(h.renew)},
		{Method: http.MethodPost, Path: Path + "/:id/test", Rights: manage, Do: home(h.test)},
		{Method: http.MethodGet, Path: Path + "/:id/deadLetters", Rights: view, Do: home(h.dead)},
		{Method: http.MethodPost, Path: Path + "/:id/redeliver", Rights: manage, Do: home(h.redeliver)},
	}}
}

// home hides what do does from everybody but the provider at home.
func home(do func(*gin.Context, httpapi.Call) error) func(*gin.Context, httpapi.Call) error {
	return func(c *gin.Context, call httpapi.Call) error {
		if !call.Principal.Provider() || call.Principal.Via != "" || !call.Org.System() {
			return problem.Hidden()
		}
		err := do(c, call)
		if problem.Has(err, problem.NotFound) {
			return problem.Hidden()
		}
		return err
	}
}

// webhook is one on the wire.
type webhook struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	Org       string `json:"orgId"` // empty is all
	Enabled   bool   `json:"enabled"`
	GiveUp    int64  `json:"giveUpSeconds"`
	CreatedAt string `json:"createdAt"`
	UpdatedAt string `json:"updatedAt"`
	State     state  `json:"state"`
	Secret    string `json:"secret,omitempty"` // shown once, when it was made
}

type state struct {
	Seq         int64   `json:"seq"`
	DeliveredAt *string `json:"deliveredAt"`
	FailingAt   *string `json:"failingSince"`
	Attempts    int     `json:"attempts"`
	Next        *string `json:"nextAttemptAt"`
	Error       string  `json:"error"`
	Dead        int64   `json:"deadRows"`
}

func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := httpapi.Time(t)
	return &text
}

func render(w relay.Webhook) webhook {
	shown := webhook{
		ID: tenants.URN("auditWebhook", w.ID), Name: w.Name, URL: w.URL, Enabled: w.Enabled, GiveUp: int64(w.GiveUp.Seconds()),
		CreatedAt: httpapi.Time(w.CreatedAt), UpdatedAt: httpapi.Time(w.UpdatedAt),
		State: state{w.Seq, moment(w.Delivered), moment(w.Failing), w.Attempts, moment(w.Next), w.Error, w.Dead},
	}
	if w.Org != "" {
		shown.Org = tenants.URN("org", w.Org)
	}
	return shown
}

func (h *Handler) list(c *gin.Context, _ httpapi.Call) error {
	all, err := h.Webhooks.List(c.Request.Context())
	if err != nil {
		return err
	}
	values := []webhook{}
	for _, w := range all {
		values = append(values, render(w))
	}
	httpapi.JSON(c, http.StatusOK, map[string]any{"values": values})
	return nil
}

func target(c *gin.Context) (relay.WebhookID, error) {
	return tenants.ParseID[relay.WebhookID]("auditWebhook", c.Param("id"))
}

func (h *Handler) get(c *gin.Context, _ httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	w, err := h.Webhooks.Get(c.Request.Context(), id)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, render(w))
	return nil
}

// body is what a provider says of a webhook; what a GET shows besides is not read.
type body struct {
	Name    string `json:"name"`
	URL     string `json:"url"`
	Org     string `json:"orgId"`
	Enabled *bool  `json:"enabled"` // absent is true
	GiveUp  int64  `json:"giveUpSeconds"`
}

func parse(r *http.Request) (d relay.Draft, err error) {
	var b body
	if err := httpapi.ParseOwnJSON(r, &b, "id", "createdAt", "updatedAt", "state"); err != nil {
		return d, err
	}
	d = relay.Draft{
		Name: b.Name, URL: b.URL, Enabled: b.Enabled == nil || *b.Enabled,
		GiveUp: time.Duration(max(-1, min(b.GiveUp, 1<<31))) * time.Second,
	}
	if b.Org != "" {
		d.Org, err = tenants.ParseID[tenants.OrgID]("org", b.Org)
	}
	return d, err
}

// once shows a webhook with a secret that nobody sees again.
func once(c *gin.Context, status int, w relay.Webhook, made secret.Text) {
	shown := render(w)
	shown.Secret = made.Reveal()
	httpapi.NoStoreJSON(c, status, shown)
}

func (h *Handler) create(c *gin.Context, call httpapi.Call) error {
	d, err := parse(c.Request)
	if err != nil {
		return err
	}
	w, made, err := h.Webhooks.Create(c.Request.Context(), call.Caller, d)
	if err != nil {
		return err
	}
	c.Header("Location", h.PublicURL+Path+"/"+tenants.URN("auditWebhook", w.ID))
	once(c, http.StatusCreated, w, made)
	return nil
}

func (h *Handler) update(c *gin.Context, call httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	d, err := parse(c.Request)
	if err != nil {
		return err
	}
	w, err := h.Webhooks.Update(c.Request.Context(), call.Caller, id, d)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, render(w))
	return nil
}

func (h *Handler) renew(c *gin.Context, call httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	w, made, err := h.Webhooks.Renew(c.Request.Context(), call.Caller, id)
	if err != nil {
		return err
	}
	once(c, http.StatusOK, w, made)
	return nil
}

func (h *Handler) delete(c *gin.Context, call httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Webhooks.Delete(c.Request.Context(), call.Caller, id))
}

func (h *Handler) redeliver(c *gin.Context, call httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, h.Webhooks.Redeliver(c.Request.Context(), call.Caller, id))
}

// tried is what came of a test.
type tried struct {
	Delivered bool   `json:"delivered"`
	Took      int64  `json:"tookMilliseconds"`
	Error     string `json:"error"`
}

func (h *Handler) test(c *gin.Context, call httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	t, err := h.Webhooks.Test(c.Request.Context(), call.Caller, id)
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, tried{Delivered: t.Why == "", Took: t.Took.Milliseconds(), Error: t.Why})
	return nil
}

// deadLetter are rows in sequence that a webhook did not take.
type deadLetter struct {
	First int64  `json:"first"`
	Last  int64  `json:"last"`
	Rows  int64  `json:"rows"`
	At    string `json:"at"`
	Error string `json:"error"`
	Again bool   `json:"redelivering"`
}

func (h *Handler) dead(c *gin.Context, _ httpapi.Call) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	list, err := h.Webhooks.Dead(c.Request.Context(), id)
	if err != nil {
		return err
	}
	values := []deadLetter{}
	for _, d := range list {
		values = append(values, deadLetter{d.First, d.Last, d.Rows, httpapi.Time(d.At), d.Error, d.Again})
	}
	httpapi.JSON(c, http.StatusOK, map[string]any{"values": values})
	return nil
}
