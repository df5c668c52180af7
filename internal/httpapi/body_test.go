package httpapi

import (
	"testing"

	"causeway/internal/problem"
)

func TestParseBody(t *testing.T) {
	const inXML, inJSON = `<User name="a"/>`, `{"name":"a"}`
	for _, tt := range []struct {
		media, body string
		detail      string // empty: accepted
	}{
		{"", inXML, ""},
		{"application/xml", inXML, ""},
		{"text/xml; charset=utf-8", inXML, ""},
		{"application/*+xml", inXML, ""},
		{"application/*+xml;version=37.0", inXML, ""},
		{"application/vnd.vmware.admin.user+xml", inXML, ""},
		{"application/vnd.vmware.admin.organization+xml;version=37.0", inXML, ""}, // another object's: not judged
		{"APPLICATION/VND.VMWARE.ADMIN.USER+XML", inXML, ""},
		{"vnd.vmware.admin.user+xml", inXML, ""},
		{"application/xml; charset", inXML, ""},
		{"application/json", inJSON, ""},
		{"application/json; charset=UTF-8", inJSON, ""},
		{"application/*+json;version=37.0", inJSON, ""},
		{"application/vnd.vmware.admin.user+json", inJSON, ""},

		{"", inJSON, "There is text around the XML element, at byte 12."},
		{"application/json", inXML, "The body is not valid JSON at byte 1."},
		{"text/plain", inXML, mediaDetail},
		{"application/x-www-form-urlencoded", inXML, mediaDetail},
		{"multipart/form-data; boundary=x", inXML, mediaDetail},
		{"application/octet-stream", inJSON, mediaDetail},
		{"application/xmlx", inXML, mediaDetail},
		{"application/xml+zip", inXML, mediaDetail},
		{"xml", inXML, mediaDetail},
		{"*/*", inXML, mediaDetail},
		{"/;;", inXML, mediaDetail},
		{"application/xml; charset=iso-8859-1", inXML, "The body must be in UTF-8."},
		{"application/json; charset=utf-16", inJSON, "The body must be in UTF-8."},
	} {
		t.Run(tt.media, func(t *testing.T) {
			var p person
			err := ParseBody(post(tt.media, "/api/admin/org", tt.body), &p)
			if tt.detail == "" {
				if err != nil || p.Name != "a" {
					t.Errorf("got %+v, %v", p, err)
				}
				return
			}
			wantProblem(t, err, problem.BadRequest)
			if got := problem.From(err).Detail; got != tt.detail {
				t.Errorf("the detail is %q, want %q", got, tt.detail)
			}
		})
	}
}

const mediaDetail = "Content-Type must be application/*+xml or application/*+json."
