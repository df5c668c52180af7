// Package receiptshttp is the HTTP face of package receipts: where a change has
// taken effect, for whoever made it or reads the audit trail.
package receiptshttp

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/receipts"
	"causeway/tenants"
)

// Handler serves the endpoint.
type Handler struct {
	Receipts *receipts.Service
	Orgs     *tenants.Directory
}

// Path is where receipts are.
const Path = httpapi.OwnAPI + "/receipts/:seq"

// Endpoints lists what the handler serves. Any session may ask: the entry says
// who may know of it.
func (h *Handler) Endpoints() httpapi.Endpoints {
	return httpapi.Endpoints{Routes: []httpapi.Route{
		{Method: http.MethodGet, Path: Path, Rights: []tenants.Right{httpapi.AnySession}, Do: h.get},
	}}
}

type receiptBody struct {
	Seq             int64       `json:"seq"`
	RecordedAt      string      `json:"recordedAt"`
	Action          string      `json:"action"`
	Subject         subjectBody `json:"subject"`
	Cells           cellsBody   `json:"cells"`
	Complete        bool        `json:"complete"`
	Sites           []siteBody  `json:"sites"`
	LastTokenDiesAt string      `json:"lastTokenDiesAt"`
}

type subjectBody struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// cellsBody counts cells. What they are called is the provider's business.
type cellsBody struct {
	Live       int      `json:"live"`
	Applied    int      `json:"applied"`
	Refusing   int      `json:"refusing"`
	Waiting    int      `json:"waiting"`
	WaitingFor []string `json:"waitingFor,omitempty"`
}

type siteBody struct {
	Name            string `json:"name"`
	ID              string `json:"id"`
	LastTokenDiesAt string `json:"lastTokenDiesAt"`
}

func (h *Handler) get(c *gin.Context, call httpapi.Call) error {
	seq, err := strconv.ParseInt(c.Param("seq"), 10, 64)
	if err != nil || seq < 1 || strconv.FormatInt(seq, 10) != c.Param("seq") {
		return problem.New(problem.BadRequest, "A receipt is a number, as the header %s gives it.", httpapi.HeaderReceipt)
	}
	r, err := h.Receipts.Find(c.Request.Context(), call.Org.ID, seq, func(row journal.Row) bool { return h.may(c, call, row) })
	if err != nil {
		return err
	}
	httpapi.JSON(c, http.StatusOK, render(r, call.Principal.Provider()))
	return nil
}

// may says who knows of an entry: who reads the audit trail, who manages service
// accounts if it is about one, and whoever made the change.
func (h *Handler) may(c *gin.Context, call httpapi.Call, row journal.Row) bool {
	who := call.Principal
	rights := []tenants.Right{tenants.RightAuditView, tenants.RightAdministratorView}
	if row.Subject.Kind == journal.KindAccount {
		rights = append(rights, tenants.RightAccountsManage)
	}
	own := row.Actor.ID == who.ID && row.Actor.Org == string(who.Org) && who.ID != ""
	return own || h.Orgs.Require(c.Request.Context(), who, call.Org.ID, rights...) == nil
}

func render(r receipts.Receipt, provider bool) receiptBody {
	b := receiptBody{
		Seq: r.Seq, RecordedAt: httpapi.Time(r.At), Action: string(r.Action),
		Subject:  subjectBody{r.Subject.Kind, r.Subject.ID, r.Subject.Name},
		Cells:    cellsBody{Live: r.Live, Applied: r.Applied, Refusing: r.Refusing, Waiting: len(r.Waiting)},
		Complete: r.Complete(), Sites: []siteBody{}, LastTokenDiesAt: httpapi.Time(r.LastTokenDiesAt()),
	}
	if provider {
		b.Cells.WaitingFor = r.Waiting
	}
	for _, s := range r.Sites {
		b.Sites = append(b.Sites, siteBody{s.Name, tenants.URN("site", s.Site), httpapi.Time(r.LastThere)})
	}
	return b
}
