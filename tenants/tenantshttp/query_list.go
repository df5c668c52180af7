package tenantshttp

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/gin-gonic/gin"

	"causeway/federation/fanout"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
)

// queryList makes one answer of what the query service answers at several
// locations. They are asked in JSON, whatever the client reads.
type queryList struct{ h *Handler }

// Of implements httpapi.List. References show nothing but names to sort by.
func (queryList) Of(r *http.Request) (fanout.List, error) {
	params, err := httpapi.ParseQuery(r.URL.RawQuery)
	if err != nil || !params.Has("type") {
		return nil, err
	}
	sort := params.Get("sortAsc") + params.Get("sortDesc")
	if params.Get("format") == "references" {
		if sort != "" && sort != "name" {
			return nil, problem.New(problem.InvalidMultisiteArgs, "References of several locations can be sorted by name only: ask for format=records.")
		}
		return queryAnswers{"reference"}, nil
	}
	return queryAnswers{"record"}, nil
}

// queryAnswers reads answers whose rows are in a member.
type queryAnswers struct{ rows string }

func (queryAnswers) Paged() bool { return true }

func (q queryAnswers) Decode(body []byte, sort string) (fanout.Answer, error) {
	var head struct {
		Total *int `json:"total"`
		Page  int  `json:"page"`
		Size  int  `json:"pageSize"`
	}
	rows, ok := memberRows(body, q.rows)
	if !ok || json.Unmarshal(body, &head) != nil || head.Total == nil {
		return fanout.Answer{}, fanout.Unreadable()
	}
	return fanout.Answer{Total: *head.Total, Page: head.Page, Size: head.Size, Rows: httpapi.Rows(rows, sort)}, nil
}

// memberRows are the objects in an array that is a member of an answer.
func memberRows(body []byte, member string) (rows []json.RawMessage, ok bool) {
	var all map[string]json.RawMessage
	if json.Unmarshal(body, &all) != nil || json.Unmarshal(all[member], &rows) != nil || rows == nil {
		return nil, false
	}
	return rows, true
}

// Write implements httpapi.List.
func (l queryList) Write(c *gin.Context, _ string, p fanout.Page) error {
	params, err := httpapi.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	kind, ok := lookUpQueryType(params.Get("type"))
	format, known := queryFormats[params.Get("format")]
	if !ok || !known { // some location knows more than this one
		return problem.New(problem.BadRequest, "There is no such query here.")
	}
	params.Del(httpapi.ParamOffsets)
	numbers := httpapi.NewPage[record](nil, p.Total, p.Page, p.Size)
	result := queryResult{
		Name: kind.name, Type: format.media, Total: p.Total, Page: p.Page, PageSize: p.Size,
		Href: l.h.queryHref(params, p.Page, p.Size), Links: l.h.queryLinks(params, format.media, numbers),
	}
	lead(result.Links, p.Cursor)
	references := params.Get("format") == "references"
	if httpapi.DialectOf(c.Request) == httpapi.OpenAPI {
		write(c, format.media, queryJSON(result, references, p))
		return nil
	}
	element, root := kind.element, "QueryResultRecords"
	if references {
		element, root = kind.list+"Reference", kind.list+"References"
	}
	write(c, format.media, struct {
		XMLName xml.Name
		queryResult
		Records []record
	}{xml.Name{Space: "http://www.vmware.com/vcloud/v1.5", Local: root}, result, recordsOf(element, p.Rows)})
	return nil
}

// lead gives the link to the next page its cursor.
func lead(links []link, cursor string) {
	for i := range links {
		if links[i].Rel == "nextPage" && cursor != "" {
			links[i].Href += "&" + url.Values{httpapi.ParamOffsets: {cursor}}.Encode()
		}
	}
}

func queryJSON(result queryResult, references bool, p fanout.Page) any {
	body := struct {
		queryResult
		Records    *[]json.RawMessage `json:"record,omitempty"`
		References *[]json.RawMessage `json:"reference,omitempty"`
		Warnings   []fanout.Missing   `json:"multisiteWarnings,omitempty"`
	}{queryResult: result, Warnings: p.Missing}
	rows := httpapi.RawRows(p.Rows)
	if references {
		body.References = &rows
	} else {
		body.Records = &rows
	}
	return body
}

// attributeName is what a member's name must be like to become an attribute: its
// location may be anybody's.
var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// recordsOf makes records of rows in JSON. What is no attribute is left out.
func recordsOf(element string, rows []fanout.Row) []record {
	records := make([]record, 0, len(rows))
	for _, row := range rows {
		var members map[string]any
		d := json.NewDecoder(bytes.NewReader(row.Raw))
		d.UseNumber()
		_ = d.Decode(&members) // what is no object has no attributes
		r := record{element: element}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if value, ok := attribute(members[name]); ok && attributeName.MatchString(name) {
				r.fields = append(r.fields, recordField{name, value})
			}
		}
		records = append(records, r)
	}
	return records
}

func attribute(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case bool, json.Number:
		return fmt.Sprint(v), true
	default:
		return "", false
	}
}
