package serviceshttp

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/services"
	"causeway/tenants"
)

// instance is a service instance on the wire. Where it is, and how it is told of
// accounts, only providers see.
type instance struct {
	ID         string                `json:"id"`
	Org        string                `json:"orgId"`
	Definition services.DefinitionID `json:"serviceDefinitionId"`
	Name       string                `json:"name"`
	Mode       services.Mode         `json:"mode"`
	Prefix     string                `json:"prefix"`
	Hosts      []string              `json:"hosts"`
	Enabled    bool                  `json:"enabled"`
	CreatedAt  string                `json:"createdAt"`
	UpdatedAt  string                `json:"updatedAt"`
	State      []upstreamState       `json:"upstreamHealth"`
	*settings
}

type settings struct {
	Upstreams  []string `json:"upstreams"`
	Health     health   `json:"healthCheck"`
	Timeout    int64    `json:"timeoutMilliseconds"`
	HookURL    string   `json:"hookUrl"`
	HookSecret *string  `json:"hookSecret,omitempty"` // shown once, when it was made
}

type health struct {
	Path      string `json:"path"`
	Interval  int64  `json:"intervalMilliseconds"`
	Timeout   int64  `json:"timeoutMilliseconds"`
	Healthy   int    `json:"healthyCount"`
	Unhealthy int    `json:"unhealthyCount"`
}

// upstreamState is how an upstream is, as the cell that answers sees it.
type upstreamState struct {
	URL         string `json:"url,omitempty"`
	Well        bool   `json:"well"`
	Why         string `json:"why,omitempty"`
	Since       string `json:"since,omitempty"`
	Outstanding int    `json:"outstanding"`
}

func (h *Handler) render(call httpapi.Call, in services.ServiceInstance) instance {
	shown := instance{
		ID: tenants.URN("serviceInstance", in.ID), Org: tenants.URN("org", in.Org), Definition: in.Definition, Name: in.Name, Mode: in.Mode,
		Prefix: in.Prefix, Hosts: append([]string{}, in.Hosts...), Enabled: in.Enabled,
		CreatedAt: httpapi.Time(in.CreatedAt), UpdatedAt: httpapi.Time(in.UpdatedAt), State: []upstreamState{},
	}
	provider := call.Principal.Provider()
	if h.Health != nil {
		for _, u := range h.Health.Health(in.ID) {
			shown.State = append(shown.State, renderState(u, provider))
		}
	}
	if provider {
		shown.settings = &settings{
			Upstreams: append([]string{}, in.Upstreams...), Timeout: in.Timeout.Milliseconds(), HookURL: in.HookURL,
			Health: health{
				Path: in.Health.Path, Interval: in.Health.Interval.Milliseconds(), Timeout: in.Health.Timeout.Milliseconds(),
				Healthy: in.Health.Healthy, Unhealthy: in.Health.Unhealthy,
			},
		}
	}
	return shown
}

func renderState(u services.UpstreamHealth, provider bool) upstreamState {
	s := upstreamState{Well: u.Well, Outstanding: u.Outstanding}
	if !u.Since.IsZero() {
		s.Since = httpapi.Time(u.Since)
	}
	if provider {
		s.URL, s.Why = u.URL, u.Why
	}
	return s
}

func (in instance) text(selector string) string {
	return map[string]string{
		"id": in.ID, "orgId": in.Org, "name": in.Name, "serviceDefinitionId": string(in.Definition), "mode": string(in.Mode),
		"prefix": in.Prefix, "enabled": strconv.FormatBool(in.Enabled),
	}[selector]
}

func (h *Handler) instanceList(c *gin.Context, call httpapi.Call) error {
	if atHome(call) {
		return h.everyInstance(c, call)
	}
	q, err := httpapi.ParseList(c.Request, services.InstanceFields, maxPageSize)
	if err != nil {
		return err
	}
	list, total, err := h.Services.Instances(c.Request.Context(), call.Org.ID, q)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "ServiceInstances", httpapi.NewPage(h.renderAll(call, list), total, q.Page, q.PageSize))
	return nil
}

func (h *Handler) everyInstance(c *gin.Context, call httpapi.Call) error {
	list, err := h.Services.EveryInstance(c.Request.Context())
	if err != nil {
		return err
	}
	page, err := httpapi.ListRows(c.Request, services.EveryInstanceFields, maxPageSize, h.renderAll(call, list), instance.text)
	if err != nil {
		return err
	}
	httpapi.WritePage(c, h.PublicURL, "ServiceInstances", page)
	return nil
}

func (h *Handler) renderAll(call httpapi.Call, list []services.ServiceInstance) []instance {
	rows := make([]instance, 0, len(list))
	for _, in := range list {
		rows = append(rows, h.render(call, in))
	}
	return rows
}

func (h *Handler) instanceGet(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	in, err := h.Services.Instance(c.Request.Context(), org, id)
	return h.write(c, call, http.StatusOK, in, "", err)
}

func (h *Handler) write(c *gin.Context, call httpapi.Call, status int, in services.ServiceInstance, made secret.Text, err error) error {
	if err != nil {
		return hidden(err)
	}
	shown := h.render(call, in)
	if made != "" && shown.settings != nil {
		text := made.Reveal()
		shown.HookSecret = &text
		httpapi.NoStoreJSON(c, status, shown)
		return nil
	}
	httpapi.JSON(c, status, shown)
	return nil
}

// instanceBody is what a provider says of an instance; what a GET shows besides is not
// read.
type instanceBody struct {
	Org        string                `json:"orgId"`
	Definition services.DefinitionID `json:"serviceDefinitionId"`
	Name       string                `json:"name"`
	Mode       services.Mode         `json:"mode"`
	Prefix     string                `json:"prefix"`
	Hosts      []string              `json:"hosts"`
	Enabled    *bool                 `json:"enabled"` // absent is true
	Upstreams  []string              `json:"upstreams"`
	Health     health                `json:"healthCheck"`
	Timeout    int64                 `json:"timeoutMilliseconds"`
	HookURL    string                `json:"hookUrl"`
	HookSecret string                `json:"hookSecret"`
}

func parseInstance(r *http.Request) (b instanceBody, err error) {
	if err := httpapi.ParseOwnJSON(r, &b, "id", "createdAt", "updatedAt", "upstreamHealth"); err != nil {
		return instanceBody{}, err
	}
	if b.Mode == "" {
		b.Mode = services.Onboarded
	}
	b.Prefix = strings.TrimSuffix(b.Prefix, "/")
	return b, nil
}

func (b instanceBody) draft() services.Draft {
	return services.Draft{
		Name: b.Name, Mode: b.Mode, Prefix: b.Prefix, Hosts: b.Hosts, Enabled: b.Enabled == nil || *b.Enabled,
		HookSecret: secret.Text(b.HookSecret),
		InstanceSettings: services.InstanceSettings{
			Upstreams: b.Upstreams, Timeout: milliseconds(b.Timeout), HookURL: b.HookURL,
			Health: services.HealthCheck{
				Path: b.Health.Path, Interval: milliseconds(b.Health.Interval), Timeout: milliseconds(b.Health.Timeout),
				Healthy: b.Health.Healthy, Unhealthy: b.Health.Unhealthy,
			},
		},
	}
}

// milliseconds are not more than a week, which no bound allows: more could overflow.
func milliseconds(n int64) time.Duration {
	const week = int64(7 * 24 * time.Hour / time.Millisecond)
	return time.Duration(max(-week, min(n, week))) * time.Millisecond
}

// instanceCreate makes an instance in the organization that the body names, or in that
// of the request.
func (h *Handler) instanceCreate(c *gin.Context, call httpapi.Call) error {
	body, err := parseInstance(c.Request)
	if err != nil {
		return err
	}
	org := call.Org.ID
	if body.Org != "" {
		if org, err = h.named(c, call, body.Org); err != nil {
			return err
		}
	}
	in, made, err := h.Services.CreateInstance(c.Request.Context(), call.Caller, org, services.DefinitionID(strings.ToLower(string(body.Definition))), body.draft())
	if err == nil {
		c.Header("Location", h.PublicURL+instances+"/"+tenants.URN("serviceInstance", in.ID))
	}
	return h.write(c, call, http.StatusCreated, in, made, err)
}

// named is an organization that a provider names.
func (h *Handler) named(c *gin.Context, call httpapi.Call, text string) (tenants.OrgID, error) {
	id, err := tenants.ParseID[tenants.OrgID]("org", text)
	if err != nil || id == call.Org.ID {
		return id, err
	}
	if !atHome(call) {
		return "", problem.Hidden()
	}
	org, err := h.Orgs.Organization(c.Request.Context(), id)
	if err != nil {
		return "", hidden(err)
	}
	httpapi.Concern(c, org.ID)
	return org.ID, nil
}

func (h *Handler) instanceUpdate(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	body, err := parseInstance(c.Request) // whose it is, and of what, never changes
	if err != nil {
		return err
	}
	in, made, err := h.Services.UpdateInstance(c.Request.Context(), call.Caller, org, id, body.draft())
	return h.write(c, call, http.StatusOK, in, made, err)
}

func (h *Handler) instanceDelete(c *gin.Context, call httpapi.Call) error {
	org, id, err := h.target(c, call)
	if err != nil {
		return err
	}
	return httpapi.NoContent(c, hidden(h.Services.DeleteInstance(c.Request.Context(), call.Caller, org, id)))
}
