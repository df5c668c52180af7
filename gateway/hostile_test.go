package gateway_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"causeway/federation/peer"
	"causeway/internal/httpapi"
	"causeway/internal/sitetest"
	"causeway/internal/store/storetest"
)

// A new package of handlers must come under the tests of this file.
func TestNoEndpointIsForgotten_R9(t *testing.T) {
	w := start(t, storetest.SQLite)
	served, ok := w.Site("west").Public().(interface{ Routes() gin.RoutesInfo })
	if !ok {
		t.Fatal("the gateway is no gin engine any more")
	}
	known := map[string]bool{}
	for _, e := range append(endpoints(), pages(t)...) {
		known[e.String()] = true
		known[e.String()+"/"] = true
	}
	for _, rt := range served.Routes() {
		// What sites ask each other has tests of its own: here is nothing at its path.
		if path := strings.TrimSuffix(rt.Path, "/"); strings.HasPrefix(path, "/federation/v1/") && path != peer.BundlePath {
			w.do(t, "west", rt.Method, path, nil, "").Want(t, 404)
			continue
		}
		if !known[rt.Method+" "+rt.Path] {
			t.Errorf("%s %s is served, and endpoints does not know it", rt.Method, rt.Path)
		}
		delete(known, rt.Method+" "+rt.Path)
	}
	for e := range known {
		t.Errorf("%s is not served", e)
	}
}

// Nobody gets anywhere without a token of this site, and is told so in the
// dialect of the place.
func TestNoToken_R1_R5(t *testing.T) {
	var ahead atomic.Int64
	clock := sitetest.Clock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
	strict(t, func(t *testing.T, w *world) {
		ahead.Store(0)
		expired := w.c.Login(t, "west", "acme")
		id, _ := w.c.Account(t, "west", expired, "inventory-bot")
		expiredBot, _ := w.c.Connect(t, "west", "acme", id)
		ahead.Store(int64(31 * 24 * time.Hour))
		good := waitForLogin(t, w)
		ended := w.c.Login(t, "west", "acme")
		w.do(t, "west", "DELETE", "/cloudapi/1.0.0/sessions/current", sitetest.Bearer(ended), "").Want(t, 204)
		part := strings.Split(good, ".")
		unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`))
		tokens := map[string]http.Header{
			"none":                      {},
			"an empty one":              sitetest.Bearer(""),
			"a scheme alone":            {"Authorization": {"Bearer"}},
			"garbage":                   sitetest.Bearer("garbage"),
			"garbage in three parts":    sitetest.Bearer("aaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccc"),
			"much garbage":              sitetest.Bearer(strings.Repeat("a.", 4000)),
			"bytes":                     sitetest.Bearer("\xff\xfe.\x80.\xc0"),
			"an ended session":          sitetest.Bearer(ended),
			"an expired session":        sitetest.Bearer(expired),
			"an app's expired token":    sitetest.Bearer(expiredBot),
			"another site's":            sitetest.Bearer(w.c.Login(t, "east", "acme")),
			"another site's provider's": sitetest.Bearer(w.c.Login(t, "east", "System")),
			"not signed":                sitetest.Bearer(unsigned + "." + part[1] + "."),
			"half":                      sitetest.Bearer(part[0] + "." + part[1]),
			"another's signature":       sitetest.Bearer(part[0] + "." + part[1] + "." + strings.Split(ended, ".")[2]),
			"in lower case":             sitetest.Bearer(strings.ToLower(good)),
			"as Basic":                  {"Authorization": {"Basic " + good}},
			"a cookie":                  {"Cookie": {"vcloud_jwt=" + good}},
			"in the query":              {"X-In-Query": {good}},
			"the type's header":         {httpapi.HeaderTokenType: {good}},
			"an assertion": {
				httpapi.HeaderAssertion: {good}, "X-Causeway-Principal": {"user:1"}, "X-Causeway-Org": {bare(w.c.Site("west").Org("acme").ID)},
			},
		}
		ids := allKinds(nobody)
		ids["org"], ids["serviceAccount"] = bare(w.c.Site("west").Org("acme").ID), id
		v := w.witness(t, "west")
		for _, e := range endpoints() {
			if e.open() {
				continue
			}
			t.Run(strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				for name, header := range tokens {
					path := e.fill(t, "acme", ids)
					if header.Get("X-In-Query") != "" {
						path += "?access_token=" + good
					}
					header = header.Clone()
					header.Set("Content-Type", e.media())
					a := w.do(t, "west", e.method, path, header, "{}")
					t.Run(name, func(t *testing.T) {
						wantRefusal(t, path, a, http.StatusUnauthorized)
						if !strings.Contains(string(a.Body), "The token is missing, expired or not valid.") {
							t.Errorf("the refusal tells more than needed: %s", a.Body)
						}
					})
				}
				v.unchanged(t)
			})
		}
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(good), "").Want(t, 200)
	}, clock)
}

// waitForLogin waits until the site has found out about a leap of the clock.
func waitForLogin(t *testing.T, w *world) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		token := w.c.Login(t, "west", "acme")
		if a := w.do(t, "west", "GET", "/api/org", sitetest.Bearer(token), ""); a.Status == 200 || time.Now().After(deadline) {
			a.Want(t, 200)
			return token
		}
	}
}

// Bodies of every wrong kind are refused or not looked at. None is a fault of
// ours, and what is refused changes nothing.
func TestHostileBodies_R1_R9(t *testing.T) {
	valid := `{"client_name":"x","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:Inventory%20Operator","userCode":"CCCC-CCCC"}`
	bodies := []struct{ name, media, body string }{
		{"nothing", "", ""},
		{"no content type", "-", valid},
		{"text", "text/plain", valid},
		{"XML", "application/xml", `<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`},
		{"multipart", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"client_id\"\r\n\r\n1\r\n--x--\r\n"},
		{"a broken content type", "application/json;;;=", valid},
		{"garbage", "", "\x00\x01\x02garbage"},
		{"invalid UTF-8", "", "{\"client_name\":\"\xff\xfe\",\"userCode\":\"\xff\"}"},
		{"invalid UTF-8 in a form", "", "client_id=\xff\xfe&grant_type=%ff"},
		{"zero bytes", "", `{"client_name":"a\u0000b","software_id":"bc2528fd-35c4-44e5-a55d-62e5c4bd9c99","scope":"urn:vcloud:role:a%00b","software_version":"\u0000","userCode":"\u0000"}`},
		{"zero bytes in a form", "", "client_id=%00&grant_type=refresh_token&refresh_token=%00"},
		{"cut off", "", valid[:40]},
		{"the wrong types", "", `{"client_name":{},"software_id":[1],"scope":7,"userCode":[],"role":"x","softwareId":true}`},
		{"an array", "", "[" + valid + "]"},
		{"an empty object", "", "{}"},
		{"null", "", "null"},
		{"nulls", "", `{"client_name":null,"software_id":null,"scope":null,"userCode":null,"role":null,"softwareId":null}`},
		{"a number", "", "1e999999"},
		{"nested deeply", "", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)},
		{"huge", "", `{"client_name":"` + strings.Repeat("x", 1<<20) + `"}`},
		{"a huge form", "", "client_id=" + strings.Repeat("x", 1<<20)},
		{"many parameters", "", strings.Repeat("a=1&", 10_000)},
	}
	strict(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		v := w.witness(t, "west")
		for _, e := range endpoints() {
			t.Run(strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				path := e.fill(t, "acme", unknownIDs)
				send := func(media, body string) sitetest.Answer {
					header := http.Header{}
					if !e.open() {
						header = sitetest.Bearer(admin)
					}
					switch media {
					case "-":
					case "":
						header.Set("Content-Type", e.media())
					default:
						header.Set("Content-Type", media)
					}
					return w.do(t, "west", e.method, path, header, body)
				}
				var refused [][2]string
				changes := false
				for _, b := range bodies {
					a := send(b.media, b.body)
					t.Run(b.name, func(t *testing.T) {
						switch {
						case a.Status >= 400:
							refused = append(refused, [2]string{b.media, b.body})
							// Of the open endpoints only the limiter may say wait.
							wantRefusal(t, path, a)
							if a.Status == http.StatusUnauthorized && !e.atTheDoor() {
								t.Errorf("the session was lost: %s", a.Body)
							}
						case e.logsOut():
							admin = w.c.Login(t, "west", "acme")
							changes = true
						case e.method != http.MethodGet: // the body is not looked at
							changes = true
						}
					})
				}
				if changes { // what was refused again, with nothing between that may change
					v.look(t)
					for _, r := range refused {
						send(r[0], r[1])
					}
				}
				v.unchanged(t) // once, for it reads the whole database
			})
		}
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(w.c.Login(t, "west", "acme")), "").Want(t, 200)
	})
}

// What a path names is an identifier or nothing.
func TestHostilePaths_R9(t *testing.T) {
	words := map[string]string{
		"a word":               "x",
		"a number":             "1",
		"another kind of URN":  "urn:vcloud:user:" + nobody,
		"a URN of nothing":     "urn:vcloud:serviceAccount:",
		"braces":               "%7B" + nobody + "%7D",
		"no dashes":            strings.ReplaceAll(nobody, "-", ""),
		"one character more":   nobody + "0",
		"a wildcard":           "*",
		"a quote":              "'%20OR%20'1'='1",
		"a zero byte":          "%00",
		"a zero byte behind":   nobody + "%00",
		"a line break":         "a%0d%0aX-Evil:%201",
		"invalid UTF-8":        "%ff%fe",
		"an encoded slash":     "..%2f..%2fapi",
		"an encoded backslash": "..%5c",
		"dots":                 "%2e%2e",
		"one dot":              "%2e",
		"a long one":           strings.Repeat("a", 4000),
		"other alphabets":      "%F0%9F%98%80%D8%AE",
		"a semicolon":          nobody + ";x=y",
	}
	strict(t, func(t *testing.T, w *world) {
		admin, provider := w.c.Login(t, "west", "acme"), w.c.Login(t, "west", "System")
		v := w.witness(t, "west")
		for _, e := range endpoints() {
			if !strings.Contains(e.path, "/:") || e.ofAnyName() {
				continue
			}
			t.Run(strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				for name, word := range words {
					if name == "a number" && strings.HasSuffix(e.path, "/:seq") {
						continue // receipts have them
					}
					for _, token := range []string{admin, provider} {
						path := e.fill(t, word, allKinds(word))
						header := sitetest.Bearer(token, "Content-Type", e.media())
						a := w.do(t, "west", e.method, path, header, "")
						t.Run(name, func(t *testing.T) {
							// %2e%2e leads elsewhere before anybody looks at the route.
							wantRefusal(t, path, a)
							if a.Header.Get("X-Evil") != "" || a.Header.Get("Location") != "" {
								t.Errorf("headers of the attacker: %v", a.Header)
							}
						})
					}
				}
				v.unchanged(t)
			})
		}
	})
}

// Without credentials, an organization that has no such client and one that does
// not exist cannot be told apart.
func TestForeignRealmsLookAbsent_R6(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.witness(t, "east")
		for _, e := range endpoints() {
			if !e.open() || !strings.HasPrefix(e.path, "/oauth/tenant/") || e.ofAnyName() {
				continue
			}
			t.Run(strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				for _, body := range []string{
					"client_id=" + nobody,
					"grant_type=refresh_token&refresh_token=00000000000000000000000000000000",
					"grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=x&client_id=" + nobody,
					"grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x&client_id=" + nobody,
				} {
					header := http.Header{"Content-Type": {e.media()}}
					there := w.do(t, "east", e.method, e.fill(t, "globex", unknownIDs), header, body)
					none := w.do(t, "east", e.method, e.fill(t, "nowhere", unknownIDs), header, body)
					wantRefusal(t, e.path, there)
					if there.Status != none.Status || masked(there) != masked(none) {
						t.Errorf("with the body %q\nthere %d %s\nnone  %d %s", body, there.Status, there.Body, none.Status, none.Body)
					}
				}
				v.unchanged(t)
			})
		}
	})
}

// Context headers that are no names, or more than one, are refused at every
// endpoint that acts for somebody.
func TestHostileContexts_R8(t *testing.T) {
	const auth, tenant = httpapi.HeaderAuthContext, httpapi.HeaderTenantContext
	strict(t, func(t *testing.T, w *world) {
		acme := bare(w.c.Site("west").Org("acme").ID)
		remote := bare(w.c.Site("east").Org("acme-labs").ID)
		contexts := []struct {
			name   string
			pairs  []string
			status int
		}{
			{"two names", []string{auth, "acme", auth, "acme-labs"}, 400},
			{"two names in two cases", []string{auth, "acme", strings.ToLower(auth), "ACME"}, 400},
			{"two identifiers", []string{tenant, acme, tenant, remote}, 400},
			{"a name and nothing", []string{auth, "acme", auth, ""}, 400},
			{"a long name", []string{auth, strings.Repeat("a", 300)}, 400},
			{"a long identifier", []string{tenant, strings.Repeat("a", 300)}, 400},
			{"a name for an identifier", []string{tenant, "acme"}, 400},
			{"another kind of identifier", []string{tenant, "urn:vcloud:user:" + acme}, 400},
			{"bytes for a name", []string{auth, "\xff\xfe"}, 400},
			{"bytes for an identifier", []string{tenant, "\xff\xfe"}, 400},
			{"headers that disagree", []string{auth, "acme-labs", tenant, acme}, 400},
			{"an unknown name", []string{auth, "nowhere"}, 403},
			{"a name of an organization elsewhere that is not associated", []string{auth, "globex"}, 403},
			{"an unknown identifier", []string{tenant, nobody}, 403},
			{"an identifier of an organization elsewhere that is not associated", []string{tenant, bare(w.c.Site("east").Org("globex").ID)}, 403},
			{"an unknown place", []string{auth, acme + "@" + nobody}, 403},
			{"System", []string{auth, "System"}, 403},
			{"a wildcard", []string{auth, "*"}, 403},
			{"SQL", []string{auth, "' OR '1'='1"}, 403},
			{"a path", []string{auth, "../acme"}, 403},
			{"percent signs mean themselves", []string{auth, "%61cme"}, 403},
		}
		admin := w.c.Login(t, "west", "acme")
		v := w.witness(t, "west", "east")
		for _, e := range endpoints() {
			if e.open() {
				continue
			}
			t.Run(strings.ReplaceAll(e.String(), "/", "."), func(t *testing.T) {
				path := e.fill(t, "acme", unknownIDs)
				for _, c := range contexts {
					header := sitetest.Bearer(admin, "Content-Type", e.media())
					for i := 0; i < len(c.pairs); i += 2 {
						header.Add(c.pairs[i], c.pairs[i+1])
					}
					a := w.do(t, "west", e.method, path, header, "{}")
					t.Run(c.name, func(t *testing.T) { wantRefusal(t, path, a, c.status) })
				}
				v.unchanged(t)
			})
		}
		// The instance behind the gateway is no way around.
		for _, c := range contexts {
			header := sitetest.Bearer(admin)
			for i := 0; i < len(c.pairs); i += 2 {
				header.Add(c.pairs[i], c.pairs[i+1])
			}
			a := w.do(t, "west", "GET", "/sample/inventory", header, "")
			t.Run("sample "+c.name, func(t *testing.T) { wantRefusal(t, "/sample/inventory", a, c.status) })
		}
		w.do(t, "west", "GET", "/api/org", sitetest.Bearer(admin), "").Want(t, 200)
	})
}

// What only sites and the gateway itself may say is not heard from a client.
func TestForgedHeaders_R8(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		admin := w.c.Login(t, "west", "acme")
		id, _ := w.c.Account(t, "west", admin, "inventory-bot")
		bot, _ := w.c.Connect(t, "west", "acme", id)
		forged := []string{
			"X-Causeway-Org-Name", "evil", "X-Causeway-Principal-Name", "evil", "X-Causeway-Role", "evil", "X-Causeway-Site", "evil",
			"X-Causeway-Principal", "user:evil", "X-Causeway-Org", "evil", "X-Causeway-Via-Site", "evil", "X-Causeway-Request-Id", "evil",
			"X-Causeway-Served-By", "evil", "X-Causeway-Peer-Request-Id", "evil",
			httpapi.HeaderAssertion, "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
			"X-Forwarded-For", "6.6.6.6", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "for=6.6.6.6;host=evil.example",
			"X-Real-Ip", "6.6.6.6", "X-Original-Url", "/api/admin", "X-Rewrite-Url", "/api/admin", "X-Http-Method-Override", "DELETE",
			"Via", "2.0 " + bare(w.c.Site("west").ID),
		}
		for _, tt := range []struct {
			name   string
			header http.Header
		}{
			{"here", sitetest.Bearer(bot)},
			{"through a peer", sitetest.Bearer(bot, httpapi.HeaderAuthContext, "acme-labs")},
		} {
			for _, path := range []string{"/sample/inventory", "/api/org"} {
				want := w.do(t, "west", "GET", path, tt.header, "").Want(t, 200)
				header := tt.header.Clone()
				for i := 0; i < len(forged); i += 2 {
					if forged[i] == "Via" && tt.name != "here" {
						continue // that the request has been here before is refused, rightly
					}
					header.Set(forged[i], forged[i+1])
				}
				got := w.do(t, "west", "GET", path, header, "")
				if got.Status != want.Status || string(got.Body) != string(want.Body) || strings.Contains(fmt.Sprint(got.Header), "evil") {
					t.Errorf("%s %s: %d %s %v\nwithout forged headers %d %s", tt.name, path, got.Status, got.Body, got.Header, want.Status, want.Body)
				}
			}
		}
		// A forged address is neither believed nor shown to the administrator.
		d := w.do(t, "west", "POST", "/oauth/tenant/acme/device_authorization", http.Header{
			"Content-Type": {"application/x-www-form-urlencoded"}, "X-Forwarded-For": {"6.6.6.6"}, "X-Real-Ip": {"6.6.6.6"},
		}, "client_id="+id).Want(t, 200)
		seen := w.c.Decide(t, "west", admin, "", d.String(t, "user_code")).Want(t, 303)
		if got := seen.String(t, "requesterAddress"); got != "127.0.0.1" {
			t.Errorf("the request is said to come from %s", got)
		}
		// Links do not lead where a Host header says.
		a := w.do(t, "west", "GET", "/api/org", sitetest.Bearer(admin, "X-Forwarded-Host", "evil.example"), "").Want(t, 200)
		if strings.Contains(string(a.Body), "evil") || !strings.Contains(string(a.Body), w.c.Site("west").API) {
			t.Errorf("links lead elsewhere: %s", a.Body)
		}
	})
}

// A token request that is refused takes nothing: what was presented still works.
func TestRefusedTokenRequestsConsumeNothing_R1(t *testing.T) {
	const refresh, device = "refresh", "device"
	each(t, func(t *testing.T, w *world) {
		east, c := w.c.Site("east"), w.c
		admin := c.Login(t, "east", "acme")
		id, _ := c.Account(t, "east", admin, "inventory-bot")
		d := c.Form(t, "east", "acme", "device_authorization", "client_id", id).Want(t, 200)
		c.Decide(t, "east", admin, "/grant", d.String(t, "user_code")).Want(t, 204)
		labs := c.Login(t, "east", "acme-labs")
		other, _ := c.Account(t, "east", labs, "inventory-bot")

		refused := func(t *testing.T, v *witness, form string) {
			forms := []struct{ name, path, media, body string }{
				{"another organization", "/oauth/tenant/globex/token", "", form},
				{"an associated organization", "/oauth/tenant/acme-labs/token", "", form},
				{"no organization", "/oauth/tenant/nowhere/token", "", form},
				{"the provider", "/oauth/provider/token", "", form},
				{"the provider as a tenant", "/oauth/tenant/System/token", "", form},
				{"another client", "", "", strings.ReplaceAll(form, "client_id="+id, "client_id="+other)},
				{"nobody's client", "", "", strings.ReplaceAll(form, "client_id="+id, "client_id="+nobody)},
				{"no client at all", "", "", strings.ReplaceAll(form, "client_id="+id, "client_id=x")},
				{"two clients", "", "", form + "&client_ID=" + other},
				{"a parameter twice", "", "", form + "&client_id=" + id},
				{"the grant twice", "", "", form + "&grant_type=refresh_token"},
				{"a parameter in the URL", "/oauth/tenant/acme/token?client_id=" + id, "", form},
				{"everything in the URL", "/oauth/tenant/acme/token?" + form, "", ""},
				{"JSON", "", "application/json", form},
				{"no content type", "", "-", form},
				{"text", "", "text/plain", form},
				{"another grant", "", "", strings.Replace(form, "grant_type=", "grant_type=x", 1)},
				{"no grant", "", "", strings.Replace(form, "grant_type=", "x=", 1)},
				{"a bad percent sign", "", "", form + "&x=%zz"},
				{"invalid UTF-8", "", "", form + "&x=%ff"},
				{"too long", "", "", form + "&x=" + strings.Repeat("x", 1<<17)},
			}
			for _, f := range forms {
				path, media := f.path, f.media
				if path == "" {
					path = "/oauth/tenant/acme/token"
				}
				header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
				if media == "-" {
					header = nil
				} else if media != "" {
					header.Set("Content-Type", media)
				}
				a := c.Do(t, "POST", east.API+path, header, strings.NewReader(f.body))
				t.Run(f.name, func(t *testing.T) {
					wantRefusal(t, path, a)
					v.unchanged(t)
				})
			}
			t.Run("another method", func(t *testing.T) {
				for _, method := range []string{"GET", "PUT", "HEAD", "DELETE", "PATCH"} {
					a := c.Do(t, method, east.API+"/oauth/tenant/acme/token?"+form, nil, nil)
					if a.Status != http.StatusMethodNotAllowed {
						t.Errorf("%s: status %d", method, a.Status)
					}
				}
				v.unchanged(t)
			})
		}

		var spent string
		v := w.witness(t, "east")
		t.Run(device, func(t *testing.T) {
			form := "grant_type=" + sitetest.DeviceGrant + "&client_id=" + id + "&device_code=" + d.String(t, "device_code")
			refused(t, v, form)
			a := c.Poll(t, "east", "acme", id, d.String(t, "device_code")).Want(t, 200)
			spent = a.String(t, "refresh_token")
		})
		v.look(t)
		t.Run(refresh, func(t *testing.T) {
			refused(t, v, "grant_type=refresh_token&client_id="+id+"&refresh_token="+spent)
			first := c.Refresh(t, "east", "acme", spent).Want(t, 200)
			if first.String(t, "refresh_token") == spent {
				t.Error("the token did not rotate")
			}
		})
	})
}

// Bytes that no client of HTTP would send are refused before anybody looks.
func TestRawRequests_R9(t *testing.T) {
	w := start(t, storetest.SQLite)
	admin := w.c.Login(t, "west", "acme")
	id, _ := w.c.Account(t, "west", admin, "inventory-bot")
	auth := "Authorization: Bearer " + admin + "\r\n"
	v := w.witness(t, "west")
	revoke := "/cloudapi/1.0.0/serviceAccounts/" + id + "/revoke"
	for _, tt := range []struct {
		name, request string
		statuses      []int
	}{
		{"a zero byte in a context", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-VMWARE-VCLOUD-AUTH-CONTEXT: ac\x00me\r\n\r\n", []int{400}},
		{"a control character in a context", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-VMWARE-VCLOUD-AUTH-CONTEXT: ac\x01me\r\n\r\n", []int{400}},
		{"a delete character in a context", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-VMWARE-VCLOUD-AUTH-CONTEXT: ac\x7fme\r\n\r\n", []int{400}},
		{"a tab in a context", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-VMWARE-VCLOUD-AUTH-CONTEXT: ac\tme\r\n\r\n", []int{400}},
		{"a folded context", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-VMWARE-VCLOUD-AUTH-CONTEXT: nowhere\r\n acme\r\n\r\n", []int{400, 403}},
		{"a context with underscores is none, and is not refused", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X_VMWARE_VCLOUD_AUTH_CONTEXT: nowhere\r\n\r\n", []int{200}},
		{"a header without a name", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + ": x\r\n\r\n", []int{400}},
		{"a blank before the colon", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-VMWARE-VCLOUD-AUTH-CONTEXT : nowhere\r\n\r\n", []int{400}},
		{"no Host", "GET /api/org HTTP/1.1\r\n" + auth + "\r\n", []int{400}},
		{"two Hosts", "GET /api/org HTTP/1.1\r\nHost: x\r\nHost: y\r\n" + auth + "\r\n", []int{400}},
		{"two lengths", "POST " + revoke + " HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello", []int{400}},
		{"a length that is none", "POST " + revoke + " HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: -1\r\n\r\n", []int{400}},
		{"an unknown transfer coding", "POST " + revoke + " HTTP/1.1\r\nHost: x\r\n" + auth + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", []int{400, 501}},
		{"a broken chunk", "POST /cloudapi/1.0.0/deviceLookup HTTP/1.1\r\nHost: x\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", []int{400}},
		{"a huge header", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "X-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", []int{431}},
		{"many headers", "GET /api/org HTTP/1.1\r\nHost: x\r\n" + auth + strings.Repeat("X-A: aaaa\r\n", 8000) + "\r\n", []int{431}},
		{"a path without a slash", "GET api/org HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{400}},
		{"an asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{200, 400, 404}},
		{"no method", " /api/org HTTP/1.1\r\nHost: x\r\n\r\n", []int{400}},
		{"a made-up method", "REVOKE " + revoke + " HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{404, 405}},
		{"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n" + auth + "\r\n", []int{400, 404, 405}},
		{"TRACE", "TRACE /api/org HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{404, 405}},
		{"a full URL", "POST https://evil.example" + revoke + "x HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 0\r\n\r\n", []int{404}},
		{"HTTP/3.0", "GET /api/org HTTP/3.0\r\nHost: x\r\n\r\n", []int{400, 505}},
		{"a control character in the path", "GET /api/\x01org HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{400}},
		{"a fragment in the path", "GET /api/org#x HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{400, 404}},
		{"a broken query", "GET /cloudapi/1.0.0/serviceAccounts?filter=%zz HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", []int{400}},
		{"an upgrade", "GET /sample/inventory HTTP/1.1\r\nHost: x\r\n" + auth + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", []int{200, 400}},
		{"naming our headers as hop-by-hop does not remove them", "GET /sample/inventory HTTP/1.1\r\nHost: x\r\n" + auth + "Connection: X-Causeway-Org-Name, X-Causeway-Principal-Name\r\n\r\n", []int{200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := w.raw(t, "west", tt.request)
			if !slices.Contains(tt.statuses, status) {
				t.Errorf("status %d, want %d\n%s", status, tt.statuses, body)
			}
			if strings.HasPrefix(tt.name, "naming") && !strings.Contains(body, `"organization":"acme"`) {
				t.Errorf("the instance was not told who calls: %s", body)
			}
			v.unchanged(t)
		})
	}
	w.do(t, "west", "GET", "/api/org", sitetest.Bearer(admin), "").Want(t, 200)
}
