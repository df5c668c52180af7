package tenantshttp

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"

	"causeway/internal/fiql"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

const (
	mediaQueryList = "application/vnd.vmware.vcloud.query.queryList+xml"
	queryPath      = "/api/query"
)

// queryType is what one value of type asks for.
type queryType struct {
	name    string
	element string // of a record
	list    string // what is listed, where only references are wanted
	rights  []tenants.Right
	fields  fiql.Fields
	page    pageOf
}

// pageOf reads the page of records that a request asks for.
type pageOf func(*Handler, *gin.Context, httpapi.Call, fiql.Fields) (httpapi.Page[record], error)

func (h *Handler) queryRoutes() []httpapi.Route {
	return []httpapi.Route{{Method: http.MethodGet, Path: queryPath, Rights: []tenants.Right{httpapi.AnySession}, List: queryList{h}, Do: h.query}}
}

// query serves the query service. Each type asks for a right of its own.
func (h *Handler) query(c *gin.Context, call httpapi.Call) error {
	params, err := httpapi.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return err
	}
	if !params.Has("type") {
		h.queryList(c, call)
		return nil
	}
	kind, ok := lookUpQueryType(params.Get("type"))
	if !ok {
		return problem.New(problem.BadRequest, "There is no query type %.64q.", params.Get("type"))
	}
	format, ok := queryFormats[params.Get("format")]
	if !ok {
		return problem.New(problem.BadRequest, "The format must be records, idrecords or references.")
	}
	if err := h.mayQuery(c, call, kind); err != nil {
		return err
	}
	p, err := kind.page(h, c, call, kind.fields)
	if err != nil {
		return err
	}
	for i := range p.Values {
		p.Values[i].element = kind.element
	}
	format.write(c, kind, queryResult{
		Name: kind.name, Type: format.media, Total: p.ResultTotal, Page: p.Page, PageSize: p.PageSize,
		Href: h.queryHref(params, p.Page, p.PageSize), Links: h.queryLinks(params, format.media, p),
	}, p.Values)
	return nil
}

func (h *Handler) mayQuery(c *gin.Context, call httpapi.Call, kind queryType) error {
	if len(kind.rights) == 0 {
		return nil
	}
	return h.Orgs.Require(c.Request.Context(), call.Principal, call.Org.ID, kind.rights...)
}

// queryHref is the address of a page of the same query, built on the configured
// URL and never on the Host header.
func (h *Handler) queryHref(params url.Values, page, size int) string {
	params.Set("page", strconv.Itoa(page))
	params.Set("pageSize", strconv.Itoa(size))
	return h.PublicURL + queryPath + "?" + params.Encode()
}

func (h *Handler) queryLinks(params url.Values, media string, p httpapi.Page[record]) []link {
	links := []link{}
	for _, to := range []struct {
		rel  string
		page int
		is   bool
	}{
		{"firstPage", 1, p.PageCount > 0},
		{"previousPage", p.Page - 1, p.Page > 1 && p.Page <= p.PageCount+1},
		{"nextPage", p.Page + 1, p.Page < p.PageCount},
		{"lastPage", p.PageCount, p.PageCount > 0},
	} {
		if to.is {
			links = append(links, link{Rel: to.rel, Type: media, Href: h.queryHref(params, to.page, p.PageSize)})
		}
	}
	return links
}

type queryListXML struct {
	XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 QueryList" json:"-"`
	Href    string   `xml:"href,attr" json:"href"`
	Type    string   `xml:"type,attr" json:"type"`
	Links   []link   `xml:"Link" json:"link"`
}

// queryList names the queries that the caller may make.
func (h *Handler) queryList(c *gin.Context, call httpapi.Call) {
	body := queryListXML{Href: h.PublicURL + queryPath, Type: mediaQueryList, Links: []link{}}
	for _, t := range queryTypes {
		if h.mayQuery(c, call, t) != nil {
			continue
		}
		for _, name := range []string{"references", "records", "idrecords"} {
			body.Links = append(body.Links, link{
				Rel: "down", Type: queryFormats[name].media, Name: t.name,
				Href: h.PublicURL + queryPath + "?type=" + t.name + "&format=" + name,
			})
		}
	}
	write(c, mediaQueryList, body)
}
