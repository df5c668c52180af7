package tenantshttp

import (
	"encoding/xml"
	"fmt"

	"github.com/gin-gonic/gin"

	"causeway/internal/httpapi"
)

// record is an entity in a query's answer: its attributes in order.
type record struct {
	element string
	fields  []recordField
}

// recordOf makes a record of names and values in turn.
func recordOf(pairs ...any) record {
	var r record
	for i := 0; i+1 < len(pairs); i += 2 {
		r.fields = append(r.fields, recordField{pairs[i].(string), pairs[i+1]})
	}
	return r
}

// text is the value of an attribute as the wire shows it.
func (r record) text(name string) string {
	for _, f := range r.fields {
		if f.name == name {
			return f.text(false)
		}
	}
	return ""
}

// recordField is a text, bool, int or reference. A reference is shown by its
// href in records and by its URN in idrecords.
type recordField struct {
	name  string
	value any
}

// text is the value as the wire shows it.
func (f recordField) text(ids bool) string {
	if r, ok := f.value.(reference); ok {
		if ids {
			return r.ID
		}
		return r.Href
	}
	return fmt.Sprint(f.value)
}

// self is the entity that the record is about.
func (r record) self() reference {
	for _, f := range r.fields {
		if ref, ok := f.value.(reference); ok && f.name == "href" {
			return ref
		}
	}
	return reference{}
}

// MarshalXML implements xml.Marshaler.
func (r record) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	start.Name.Local = r.element
	for _, f := range r.fields {
		start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: f.name}, Value: f.text(false)})
	}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

// object is the record in JSON.
func (r record) object() map[string]any {
	o := map[string]any{"_type": "QueryResult" + r.element + "Type"}
	for _, f := range r.fields {
		o[f.name] = f.value
		if _, ok := f.value.(reference); ok {
			o[f.name] = f.text(false)
		}
	}
	return o
}

// byID is r with identifiers in the place of addresses.
func (r record) byID() record {
	shown := record{element: r.element}
	for _, f := range r.fields {
		if f.name == "href" {
			continue
		}
		if _, ok := f.value.(reference); ok {
			f.value = f.text(true)
		}
		shown.fields = append(shown.fields, f)
	}
	return shown
}

// queryResult is what every format has around its records.
type queryResult struct {
	Href     string `xml:"href,attr" json:"href"`
	Type     string `xml:"type,attr" json:"type"`
	Name     string `xml:"name,attr" json:"name"`
	Total    int    `xml:"total,attr" json:"total"`
	Page     int    `xml:"page,attr" json:"page"`
	PageSize int    `xml:"pageSize,attr" json:"pageSize"`
	Links    []link `xml:"Link" json:"link"`
}

type queryFormat struct {
	media string
	write func(*gin.Context, queryType, queryResult, []record)
}

var (
	asRecords    = queryFormat{"application/vnd.vmware.vcloud.query.records+xml", writeRecords}
	queryFormats = map[string]queryFormat{
		"":           asRecords,
		"records":    asRecords,
		"idrecords":  {"application/vnd.vmware.vcloud.query.idrecords+xml", writeIDRecords},
		"references": {"application/vnd.vmware.vcloud.query.references+xml", writeReferenceRecords},
	}
)

func writeRecords(c *gin.Context, _ queryType, result queryResult, records []record) {
	if httpapi.DialectOf(c.Request) == httpapi.OpenAPI {
		objects := make([]map[string]any, 0, len(records))
		for _, r := range records {
			objects = append(objects, r.object())
		}
		write(c, result.Type, struct {
			queryResult
			Records []map[string]any `json:"record"`
		}{result, objects})
		return
	}
	write(c, result.Type, struct {
		XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 QueryResultRecords"`
		queryResult
		Records []record
	}{queryResult: result, Records: records})
}

func writeIDRecords(c *gin.Context, t queryType, result queryResult, records []record) {
	for i := range records {
		records[i] = records[i].byID()
	}
	writeRecords(c, t, result, records)
}

// writeReferenceRecords names the elements after the entities:
// OrganizationReference in OrganizationReferences.
func writeReferenceRecords(c *gin.Context, t queryType, result queryResult, records []record) {
	references := make([]reference, 0, len(records))
	elements := make([]record, 0, len(records))
	for _, r := range records {
		self := r.self()
		references = append(references, self)
		named := recordOf("href", self, "id", self.ID, "name", self.Name, "type", self.Type)
		named.element = t.list + "Reference"
		elements = append(elements, named)
	}
	write(c, result.Type, struct {
		XMLName xml.Name `json:"-"`
		queryResult
		Elements   []record    `json:"-"`
		References []reference `xml:"-" json:"reference"`
	}{xml.Name{Space: "http://www.vmware.com/vcloud/v1.5", Local: t.list + "References"}, result, elements, references})
}
