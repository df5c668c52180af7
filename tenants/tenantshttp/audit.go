package tenantshttp

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/trail"
	"causeway/tenants"
)

func (h *Handler) auditRoutes() []httpapi.Route {
	rights := []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	return []httpapi.Route{{Method: http.MethodGet, Path: "/cloudapi/1.0.0/auditTrail", Rights: rights, List: httpapi.Pages{}, Do: h.auditTrail}}
}

type auditEvent struct {
	ID           string            `json:"eventId"`
	Description  string            `json:"description"`
	OperatingOrg httpapi.Ref       `json:"operatingOrg"`
	User         httpapi.Ref       `json:"user"`
	Entity       httpapi.Ref       `json:"eventEntity"`
	TaskID       *string           `json:"taskId"`
	TaskCellID   *string           `json:"taskCellId"`
	CellID       *string           `json:"cellId"`
	EventType    string            `json:"eventType"`
	Namespace    string            `json:"serviceNamespace"`
	Status       string            `json:"eventStatus"`
	Timestamp    string            `json:"timestamp"`
	External     bool              `json:"external"`
	More         map[string]string `json:"additionalProperties"`
}

var auditFields = fiql.Fields{
	"timestamp": {Column: "at", Kind: fiql.Time},
	"eventType": {Column: "action", Kind: fiql.Text},
}

// auditTrail shows the journal of the organization in which the request is
// fulfilled, and no other's.
func (h *Handler) auditTrail(c *gin.Context, call httpapi.Call) error {
	q, err := httpapi.ParseList(c.Request, auditFields, maxPageSize)
	if err != nil {
		return err
	}
	rows, total, err := h.Tenants.Audit(c.Request.Context(), call.Org.ID, q)
	if err != nil {
		return err
	}
	values := make([]auditEvent, 0, len(rows))
	for _, row := range rows {
		values = append(values, h.auditEvent(row, call.Org.ID, call.Org.Name, call.Principal))
	}
	httpapi.WritePage(c, h.PublicURL, "AuditTrailEvents", httpapi.NewPage(values, total, q.Page, q.PageSize))
	return nil
}

func (h *Handler) auditEvent(row journal.Row, org tenants.OrgID, name string, reader tenants.Principal) auditEvent {
	e := auditEvent{
		ID: h.auditID(row.Seq), Description: describe(row.Entry),
		OperatingOrg: httpapi.Ref{Name: name, ID: tenants.URN("org", org)},
		User:         auditRef(row.Actor.Kind, row.Actor.ID, row.Actor.Name),
		Entity:       auditRef(row.Subject.Kind, row.Subject.ID, row.Subject.Name),
		EventType:    string(row.Action), Namespace: serviceNamespace, Status: "SUCCESS", Timestamp: httpapi.Time(row.At),
		More: map[string]string{
			"currentContext.user.clientIpAddress": trail.Address(reader, row),
			"requestId":                           row.RequestID,
		},
	}
	for name, value := range row.Detail {
		e.More["detail."+name] = value
	}
	return e
}

// auditNamespace makes the identifiers of events; to change it is to give every
// event another one.
var auditNamespace = uuid.MustParse("3f0c2a86-5d5e-4a0c-9d43-7b1c0e8f6a11")

// auditID is made from where an event stands in the site's chain, so it is the
// same whenever and whoever asks.
func (h *Handler) auditID(seq int64) string {
	return tenants.URN("audit", uuid.NewSHA1(auditNamespace, []byte(string(h.SiteID)+" "+strconv.FormatInt(seq, 10))).String())
}

// auditRef names somebody or something of the journal. The gateway itself and
// strangers have a name alone.
func auditRef(kind, id, name string) httpapi.Ref {
	if id == "" {
		return httpapi.Ref{Name: name}
	}
	switch kind {
	case journal.KindOrganization, journal.KindOrgAssociation:
		kind = "org"
	case string(tenants.KindAPIToken):
		kind = tenants.KindAPIToken.Identity()
	}
	return httpapi.Ref{Name: name, ID: tenants.URN(kind, id)}
}

func describe(e journal.Entry) string {
	name := e.Subject.Name
	if name == "" {
		name = e.Subject.ID
	}
	return string(e.Action) + " " + strconv.Quote(name)
}
