package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"causeway/federation"
	"causeway/federation/fanout"
	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/tenants"
)

// maxListSize is VCD's largest page, and what larger ones are cut to.
const maxListSize = 128

// listed reads which page of which list a request wants.
func listed(r *http.Request) (req fanout.Request, err error) {
	q, err := httpapi.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return req, err
	}
	if req.Page, req.Size, err = httpapi.PageAndSize(q, maxListSize); err != nil {
		return req, err
	}
	req.Sort = q.Get("sortAsc")
	if desc := q.Get("sortDesc"); desc != "" {
		if req.Sort != "" {
			return req, problem.New(problem.BadRequest, "The list cannot be sorted like this.")
		}
		req.Sort, req.Desc = desc, true
	}
	req.Cursor = q.Get(httpapi.ParamOffsets)
	for _, name := range []string{"page", "pageSize", httpapi.ParamOffsets} {
		q.Del(name)
	}
	req.For = q.Encode()
	return req, nil
}

// partOf is c's request for one page of one location.
func partOf(ctx context.Context, c *gin.Context, page, size int) *http.Request {
	r := c.Request.Clone(ctx)
	r.URL = partURL(c.Request.URL, page, size)
	r.RequestURI = r.URL.RequestURI()
	r.Header.Set("Accept", httpapi.LocalAccept(c.Request))
	r.Header.Set(httpapi.HeaderClientRequest, httpapi.RequestID(c))
	r.Body, r.ContentLength = http.NoBody, 0
	for _, name := range notOfParts {
		r.Header.Del(name)
	}
	return r
}

// peerPart is partOf for another site, which learns nothing more of the client.
func peerPart(ctx context.Context, c *gin.Context, page, size int) *http.Request {
	r := (&http.Request{
		Method: http.MethodGet, URL: partURL(c.Request.URL, page, size), Host: c.Request.Host, Header: http.Header{},
		Proto: "HTTP/2.0", ProtoMajor: 2,
	}).WithContext(ctx)
	r.Header.Set("Accept", httpapi.LocalAccept(c.Request))
	r.Header.Set(httpapi.HeaderClientRequest, httpapi.RequestID(c))
	for _, name := range []string{"Traceparent", "Tracestate"} {
		if v := c.GetHeader(name); v != "" {
			r.Header.Set(name, v)
		}
	}
	return r
}

func partURL(u *url.URL, page, size int) *url.URL {
	q, err := httpapi.ParseQuery(u.RawQuery)
	if err != nil { // it was read before
		q = url.Values{}
	}
	q.Del(httpapi.ParamOffsets)
	q.Set("page", strconv.Itoa(page))
	q.Set("pageSize", strconv.Itoa(size))
	return &url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: q.Encode()}
}

// askThere asks a peer, whose answer is anybody's words until it has been read as
// the list that was asked for.
func (g *Gateway) askThere(r *http.Request, h *fanout.Hold, who tenants.Principal, to federation.Target) ([]byte, error) {
	res, err := g.sites.Fetch(r, who, to)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(h.Reader(res.Body))
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case problem.As(err) != nil: // no room for it
		return nil, err
	case err != nil:
		return nil, errors.Join(fanout.Unreadable(), err)
	case res.StatusCode != http.StatusOK:
		return nil, refusedWith(res.StatusCode, body)
	}
	return body, nil
}

var minorCode = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,63}$`)

// refusedWith is a location that answered with something else than 200: the
// status and code are its own words, as far as they have the form.
func refusedWith(status int, body []byte) error {
	var refusal struct {
		Minor string `json:"minorErrorCode"`
	}
	_ = json.Unmarshal(body, &refusal) // most things are no refusal of ours
	if status < 400 || status > 599 {
		return fanout.Unreadable()
	}
	if !minorCode.MatchString(refusal.Minor) {
		refusal.Minor = strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	}
	if !minorCode.MatchString(refusal.Minor) { // nor has HTTP a word for it
		return fanout.Unreadable()
	}
	return &fanout.Missing{Status: status, Code: refusal.Minor}
}

// maxWarnings bounds the headers of an answer: proxies on the way have little
// room for them. In JSON all are listed.
const maxWarnings = 32

func warning(m fanout.Missing) string {
	return fmt.Sprintf("%s;status=%d;code=%s", m.Location, m.Status, m.Code)
}

func moreWarnings(n int) string { return fmt.Sprintf("*;count=%d", n) }

// strict reports whether a client prefers an error to a list that lacks something
// (RFC 7240 §4.4).
func strict(h http.Header) bool {
	for _, line := range h.Values("Prefer") {
		for preference := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, _ := strings.Cut(preference, "=")
			if strings.EqualFold(strings.TrimSpace(name), "handling") && strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), "strict") {
				return true
			}
		}
	}
	return false
}
