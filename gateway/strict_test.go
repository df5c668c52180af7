package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"causeway/internal/sitetest"
)

// strictly are the endpoints that read forms, each with one that it takes.
func (w *world) strictly(t *testing.T) map[string]struct {
	header http.Header
	form   string
} {
	t.Helper()
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	_, refresh := w.c.Connect(t, "west", "acme", id)
	return map[string]struct {
		header http.Header
		form   string
	}{
		"device_authorization": {nil, "client_id=" + id},
		"token":                {nil, "grant_type=refresh_token&refresh_token=" + refresh},
		"revoke":               {nil, "token=" + refresh},
		"introspect":           {sitetest.Bearer(admin), "token=" + refresh},
	}
}

// Every endpoint that takes a form reads it alike: what is ambiguous, misplaced or
// too much is refused in both vocabularies and changes nothing; what is unknown is
// ignored.
func TestForms_R1_ReadStrictly(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for endpoint, take := range w.strictly(t) {
			v := w.witness(t, "west")
			send := func(method, query, media, body string) sitetest.Answer {
				header := take.header.Clone()
				if header == nil {
					header = http.Header{}
				}
				if media != "" {
					header.Set("Content-Type", media)
				}
				return w.do(t, "west", method, "/oauth/tenant/acme/"+endpoint+query, header, body)
			}
			const form = "application/x-www-form-urlencoded"
			first, _, _ := strings.Cut(take.form, "&")
			for _, tt := range []struct {
				name, method, query, media, body string
				status                           int
			}{
				{"GET", "GET", "?" + take.form, form, "", 405},
				{"PUT", "PUT", "", form, take.form, 405},
				{"JSON", "POST", "", "application/json", take.form, 400},
				{"no content type", "POST", "", "", take.form, 400},
				{"multipart", "POST", "", "multipart/form-data; boundary=x", take.form, 400},
				{"a parameter twice", "POST", "", form, take.form + "&" + first, 400},
				{"an unknown parameter twice", "POST", "", form, take.form + "&x=1&x=2", 400},
				{"everything in the URL", "POST", "?" + take.form, form, "", 400},
				{"a parameter in the URL", "POST", "?x=1", form, take.form, 400},
				{"too long", "POST", "", form, take.form + "&x=" + strings.Repeat("x", 1<<17), 400},
				{"a bad percent sign", "POST", "", form, take.form + "&x=%zz", 400},
				{"invalid UTF-8", "POST", "", form, take.form + "&x=%ff", 400},
				{"nothing", "POST", "", form, "", 400},
			} {
				a := send(tt.method, tt.query, tt.media, tt.body)
				t.Run(endpoint+" "+tt.name, func(t *testing.T) { wantRefusal(t, "/oauth/", a, tt.status) })
			}
			v.unchanged(t)
			if endpoint != "revoke" { // the next one still needs the token
				a := send("POST", "?", form+"; charset=utf-8", take.form+"&unknown=1&empty=&empty=").Want(t, 200)
				if a.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: an answer may be kept", endpoint)
				}
			}
		}
		take := w.strictly(t)["revoke"]
		w.do(t, "west", "POST", "/oauth/tenant/acme/revoke", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, take.form+"&unknown=1").Want(t, 200)
	})
}
