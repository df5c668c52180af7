package httpapi

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"causeway/internal/problem"
)

// One problem in the three dialects, to the byte.
func TestFail(t *testing.T) {
	const detail = `No "<right>" & no way: ünï`
	for _, tt := range []struct{ name, path, media, want string }{
		{"OpenAPI", "/cloudapi/1.0.0/x", "application/json;version=" + Version,
			`{"minorErrorCode":"ACCESS_TO_RESOURCE_IS_FORBIDDEN","message":"[ ` + requestID + ` ] No \"<right>\" & no way: ünï","stackTrace":null}` + "\n"},
		{"XML", "/api/org", "application/vnd.vmware.vcloud.error+xml;version=" + Version,
			`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
				`<Error xmlns="http://www.vmware.com/vcloud/v1.5" majorErrorCode="403" minorErrorCode="ACCESS_TO_RESOURCE_IS_FORBIDDEN"` +
				` message="[ ` + requestID + ` ] No &#34;&lt;right&gt;&#34; &amp; no way: ünï" vendorSpecificErrorCode="" stackTrace=""></Error>`},
		{"OAuth VCD-74", "/oauth/provider/token", "application/json",
			`{"error":"access_denied","error_description":"No \"<right>\" & no way: ünï","error_uri":null,` +
				`"minorErrorCode":"access_denied","message":"No \"<right>\" & no way: ünï","stackTrace":null}` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, w := newContext(t, "POST", tt.path, nil)
			Fail(c, problem.Wrap(errors.New("the cause"), problem.Forbidden, detail))
			if w.Code != http.StatusForbidden || w.Body.String() != tt.want {
				t.Errorf("status %d\n got %s\nwant %s", w.Code, w.Body, tt.want)
			}
			if got := w.Header().Get("Content-Type"); got != tt.media {
				t.Errorf("content type %s, want %s", got, tt.media)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("an error may be cached: %q", got)
			}
			if _, ok := w.Header()["Retry-After"]; ok {
				t.Error("Retry-After although there is nothing to wait for")
			}
		})
	}
}

// Plain OAuth clients look for the challenge (RFC 6750 §3); a browser must not be
// made to ask for a password elsewhere.
func TestFail_R1_Challenge(t *testing.T) {
	for path, want := range map[string]string{
		"/oauth/provider/introspect": `Bearer error="invalid_token"`, "/cloudapi/1.0.0/x": "", "/api/org": "",
	} {
		c, w := newContext(t, "POST", path, nil)
		Fail(c, problem.New(problem.Unauthenticated, "no"))
		if got := w.Header().Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// An error that is no Problem is a 500 that keeps its text for the log.
func TestFailHidesCauses_R12(t *testing.T) {
	for _, path := range []string{"/cloudapi/x", "/api/x", "/oauth/x"} {
		c, w := newContext(t, "GET", path, nil)
		Fail(c, errors.New("password=hunter2"))
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "hunter2") || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if cause := Failure(c); cause == nil || !strings.Contains(cause.Error(), "hunter2") {
			t.Errorf("%s: the cause is lost for the log", path)
		}
	}
}

// Characters that XML cannot hold must not break the document.
func TestFailXMLStaysWellFormed(t *testing.T) {
	c, w := newContext(t, "GET", "/api/x", nil)
	Fail(c, problem.New(problem.BadRequest, "a\x00b\x1bc\ud7ff\xff"))
	var e xmlError
	if err := xml.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Major != 400 || e.Minor != "BAD_REQUEST" {
		t.Errorf("%v: %+v\n%s", err, e, w.Body)
	}
}

// What tenants call themselves comes back as they wrote it, but for the
// characters that no XML document can hold.
func TestWriteXMLHoldsAnyText_R9(t *testing.T) {
	type held struct {
		XMLName xml.Name `xml:"http://www.vmware.com/vcloud/v1.5 Held"`
		Attr    string   `xml:"name,attr"`
		Text    string   `xml:"Text"`
	}
	for text, want := range map[string]string{
		"]]>":                        "]]>",
		"<![CDATA[x]]>":              "<![CDATA[x]]>",
		"</Text></Held><Held>":       "</Text></Held><Held>",
		`"><!DOCTYPE x>'&quot;&amp;`: `"><!DOCTYPE x>'&quot;&amp;`,
		"&#0;&lt;&bomb;":             "&#0;&lt;&bomb;",
		"<!-- -- -->":                "<!-- -- -->",
		" blanks\tand\nlines\r\n\r ": " blanks\tand\nlines\r\n\r ",
		"🧑🏽‍🚀 ünï \u2028\u202e\U0010fffd": "🧑🏽‍🚀 ünï \u2028\u202e\U0010fffd",
		"\x00\x01\x08\x0b\x1b\x1f":        strings.Repeat("\ufffd", 6),
		"\ufffe\uffff":                    "\ufffd\ufffd",
		"\xff\xc0\x80\xed\xa0\x80":        strings.Repeat("\ufffd", 6),
		"\x7f\u0085":                      "\x7f\u0085",
	} {
		c, w := newContext(t, "GET", "/api/x", nil)
		WriteXML(c, http.StatusOK, "application/vnd.vmware.admin.user+xml", held{Attr: text, Text: text})
		var got held
		if err := ParseXML(post("", "/", w.Body.String()), &got); err != nil || got.Attr != want || got.Text != want {
			t.Errorf("%q came back as %q and %q, %v\n%s", text, got.Attr, got.Text, err, w.Body)
		}
	}
}

func TestRetryAfterRoundsUp_R13(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		time.Nanosecond:                       "1",
		time.Second:                           "1",
		time.Second + time.Millisecond:        "2",
		59*time.Second + 999*time.Millisecond: "60",
		60 * time.Second:                      "60",
	} {
		c, w := newContext(t, "POST", "/oauth/provider/device_authorization", nil)
		Fail(c, problem.New(problem.TooManyRequests, "Wait.").After(wait))
		if got := w.Header().Get("Retry-After"); got != want || w.Code != http.StatusTooManyRequests {
			t.Errorf("%s: status %d, Retry-After %q, want %s", wait, w.Code, got, want)
		}
	}
}

func TestJSONKeepsBytes(t *testing.T) {
	c, w := newContext(t, "GET", "/cloudapi/x", nil)
	JSON(c, http.StatusOK, Ref{Name: "a<b>&\u2028", ID: "1"})
	if want := "{\"name\":\"a<b>&\\u2028\",\"id\":\"1\"}\n"; w.Body.String() != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
	c, w = newContext(t, "GET", "/cloudapi/x", nil)
	JSON(c, http.StatusOK, func() {}) // nothing of ours, but it must not pass for an answer
	if w.Code == http.StatusOK && w.Body.Len() > 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestNoStoreJSON_R1(t *testing.T) {
	c, w := newContext(t, "POST", "/oauth/provider/token", nil)
	NoStoreJSON(c, http.StatusOK, Ref{})
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" {
		t.Errorf("a secret may be cached: %v", w.Header())
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %s", got)
	}
}

func TestTime(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_999_000, time.FixedZone("", 3600))
	if got := Time(at); got != "2026-01-02T02:04:05.678Z" {
		t.Error(got)
	}
}

func TestNoContent(t *testing.T) {
	c, w := newContext(t, "DELETE", "/cloudapi/x", nil)
	if err := NoContent(c, nil); err != nil || w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("%v %d %q", err, w.Code, w.Body)
	}
	c, _ = newContext(t, "DELETE", "/cloudapi/x", nil)
	refused := problem.Hidden()
	if err := NoContent(c, refused); err != error(refused) || c.Writer.Written() {
		t.Errorf("%v, written %t", err, c.Writer.Written())
	}
}
