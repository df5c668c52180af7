package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/federation/fanout"
	"causeway/internal/problem"
)

// List is how a route's answers at several locations become one.
type List interface {
	// Of understands the answers to r. It is nil where r asks for no list, and a
	// problem where its list cannot be read at several locations.
	Of(r *http.Request) (fanout.List, error)
	// Write answers with a page; its links are built on publicURL.
	Write(c *gin.Context, publicURL string, p fanout.Page) error
}

// Pages are the lists below /cloudapi. Where a row shows what a selector sorts by
// somewhere else, Shown says where.
type Pages struct{ Shown map[string]string }

// Of implements List.
func (p Pages) Of(*http.Request) (fanout.List, error) { return p, nil }

// Paged implements fanout.List.
func (Pages) Paged() bool { return true }

// Decode implements fanout.List: it reads VCD's envelope.
func (p Pages) Decode(body []byte, sort string) (fanout.Answer, error) {
	var page struct {
		Total  *int              `json:"resultTotal"`
		Page   int               `json:"page"`
		Size   int               `json:"pageSize"`
		Values []json.RawMessage `json:"values"`
	}
	if json.Unmarshal(body, &page) != nil || page.Total == nil || page.Values == nil {
		return fanout.Answer{}, fanout.Unreadable()
	}
	if shown, ok := p.Shown[sort]; ok {
		sort = shown
	}
	return fanout.Answer{Total: *page.Total, Page: page.Page, Size: page.Size, Rows: Rows(page.Values, sort)}, nil
}

// InstancePages are the same of instances, of which nobody knows whether an
// answer is a page: one that is none cannot be joined with anything.
type InstancePages struct{ Pages }

// Of implements List.
func (p InstancePages) Of(*http.Request) (fanout.List, error) { return p, nil }

// Decode implements fanout.List.
func (p InstancePages) Decode(body []byte, sort string) (fanout.Answer, error) {
	a, err := p.Pages.Decode(body, sort)
	if err != nil {
		err = problem.New(problem.InvalidMultisiteScope, "The service's answer is no page of a list, and cannot be joined with those of other locations.")
	}
	return a, err
}

// Rows are the rows of a list in JSON.
func Rows(values []json.RawMessage, sort string) []fanout.Row {
	rows := make([]fanout.Row, len(values))
	for i, v := range values {
		rows[i] = fanout.Row{Raw: v, Key: fanout.JSONKey(v, sort)}
	}
	return rows
}

// RawRows is Rows' opposite.
func RawRows(rows []fanout.Row) []json.RawMessage {
	values := make([]json.RawMessage, len(rows))
	for i, r := range rows {
		values[i] = bytes.TrimSpace(r.Raw)
	}
	return values
}

// Write implements List.
func (Pages) Write(c *gin.Context, publicURL string, p fanout.Page) error {
	if links := pageLinks(c.Request, publicURL, "", p.Page, p.Pages(), p.Size, p.Cursor); len(links) > 0 {
		c.Header("Link", strings.Join(links, ","))
	}
	JSON(c, http.StatusOK, struct {
		Page[json.RawMessage]
		Warnings []fanout.Missing `json:"multisiteWarnings,omitempty"`
	}{NewPage(RawRows(p.Rows), p.Total, p.Page, p.Size), p.Missing})
	return nil
}
