package tenantshttp

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"causeway/federation/fanout"
	"causeway/internal/httpapi"
)

// orgLists makes one list of the organizations that several locations show. It
// has no pages.
type orgLists struct{ h *Handler }

// Of implements httpapi.List.
func (orgLists) Of(*http.Request) (fanout.List, error) { return orgAnswers{}, nil }

type orgAnswers struct{}

func (orgAnswers) Paged() bool { return false }

func (orgAnswers) Decode(body []byte, _ string) (fanout.Answer, error) {
	rows, ok := memberRows(body, "org")
	for _, row := range rows {
		ok = ok && json.Unmarshal(row, &orgRefXML{}) == nil
	}
	if !ok {
		return fanout.Answer{}, fanout.Unreadable()
	}
	return fanout.Answer{Rows: httpapi.Rows(rows, "")}, nil
}

// Write implements httpapi.List.
func (l orgLists) Write(c *gin.Context, _ string, p fanout.Page) error {
	body := struct {
		orgListXML
		Warnings []fanout.Missing `xml:"-" json:"multisiteWarnings,omitempty"`
	}{orgListXML: l.h.newOrgList(), Warnings: p.Missing}
	for _, row := range p.Rows {
		var ref orgRefXML
		if err := json.Unmarshal(row.Raw, &ref); err != nil {
			return err
		}
		body.Orgs = append(body.Orgs, ref)
	}
	write(c, body.Type, body)
	return nil
}
