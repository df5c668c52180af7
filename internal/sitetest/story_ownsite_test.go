package sitetest

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The sample body of the requirement, but for the role.
const (
	sampleName     = "exampleServiceAccount"
	sampleSoftware = "bc2528fd-35c4-44e5-a55d-62e5c4bd9c99"
)

// app is a service account at west that never leaves its own site.
type app struct {
	*stage
	org, role         string
	admin             string // the administrator's access token
	client            string
	denied            Answer // device requests
	first, second     Answer
	access, refreshed string // the tokens that were fetched
	last              string // the end of the chain of refresh tokens
}

// ownSite is the first half of the story: created, denied, granted, connected,
// rotated, replayed.
func ownSite(t *testing.T, s *stage, org, role string) {
	a := &app{stage: s, org: org, role: role}
	play(t,
		step{"VCD-60 VCD-61 VCD-26 VCD-58 an administrator registers an account", a.register},
		step{"VCD-10 VCD-17 VCD-63 nothing can be granted that nobody asked for", a.grantTooSoon},
		step{"VCD-24 VCD-67 bad requests for a device code change nothing", a.badRequests},
		step{"VCD-67 VCD-69 VCD-70 VCD-27 VCD-68 the app asks without credentials", a.ask},
		step{"VCD-74 pending in both dialects", a.pending},
		step{"VCD-71 VCD-72 polling too fast is told to slow down and loses nothing", a.slowDown},
		step{"VCD-80 the administrator sees what is asked", a.lookUp},
		step{"VCD-82 denied", a.deny},
		step{"VCD-81 VCD-28 VCD-78 VCD-14 granted, but only the request that was approved", a.grant},
		step{"VCD-6 VCD-75 VCD-83 VCD-84 VCD-87 VCD-29 the app fetches its tokens", a.fetch},
		step{"VCD-15 VCD-11 nobody fetches them again", a.fetchAgain},
		step{"VCD-1 VCD-8 the access token opens the service behind the site", a.call},
		step{"VCD-4 VCD-7 VCD-18 R3 the token rotates and a lost answer costs nothing", a.rotate},
		step{"VCD-18 R3 a replay ends the family", a.replay},
	)
}

// status is the account's, as everybody with the right sees it.
func (a *app) status(t *testing.T) string {
	t.Helper()
	_, account := a.Account(t, "west", a.admin, sampleName)
	status, _ := account["status"].(string)
	return status
}

func (a *app) wantStatus(t *testing.T, want string) {
	t.Helper()
	if got := a.status(t); got != want {
		t.Errorf("status %s, want %s", got, want)
	}
}

func (a *app) register(t *testing.T) {
	a.admin = a.Login(t, "west", a.org)
	scope := "urn:vcloud:role:" + strings.ReplaceAll(a.role, " ", "%20")
	body := `{"client_name":"` + sampleName + `","software_id":"` + sampleSoftware + `","scope":"` + scope + `","client_uri":"","software_version":"1.0"}`
	header := Bearer(a.admin)
	if a.org == System { // the SDK sends none for one of the two
		header.Set("Content-Type", "application/json")
	}
	url := a.Site("west").API + Realm(a.org) + "/register"
	got := a.Do(t, http.MethodPost, url, header, strings.NewReader(body)).Want(t, http.StatusCreated).JSON(t)
	a.client, _ = got["client_id"].(string)
	if !isUUID(a.client) {
		t.Errorf("client_id %q is no UUID in lower case", a.client)
	}
	for member, want := range map[string]string{
		"client_name": sampleName, "software_id": sampleSoftware, "scope": scope, "client_uri": "",
		"software_version": "1.0", "token_endpoint_auth_method": "none", "client_id": a.client,
	} {
		if got[member] != want {
			t.Errorf("%s is %v, want %q", member, got[member], want)
		}
	}
	if grants, _ := got["grant_types"].([]any); !slices.Equal(grants, []any{DeviceGrant}) {
		t.Errorf("grant_types are %v", got["grant_types"])
	}
	a.wantStatus(t, "CREATED")
	a.Do(t, http.MethodPost, url, header, strings.NewReader(body)).Want(t, http.StatusBadRequest) // the name is taken
}

func isUUID(s string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(s)
}

func (a *app) grantTooSoon(t *testing.T) {
	// Few tries: wrong codes are limited (VCD-17).
	for _, code := range []string{a.client, sampleName, "BCDF-GHJK"} {
		a.Decide(t, "west", a.admin, "/grant", code).Want(t, http.StatusNotFound)
	}
	a.Decide(t, "west", a.admin, "", a.client).Want(t, http.StatusNotFound)
	a.Post(t, "west", Accounts(a.client)+"/grant", Bearer(a.admin), nil).Want(t, http.StatusNotFound)
	a.wantStatus(t, "CREATED")
}

func (a *app) badRequests(t *testing.T) {
	url := a.Site("west").API + Realm(a.org) + "/device_authorization"
	for name, tt := range map[string]struct{ media, body, want string }{
		"JSON":           {"application/json", `{"client_id":"` + a.client + `"}`, "invalid_request"},
		"no media type":  {"", "client_id=" + a.client, "invalid_request"},
		"no client":      {"application/x-www-form-urlencoded", "client=" + a.client, "invalid_request"},
		"twice":          {"application/x-www-form-urlencoded", "client_id=" + a.client + "&client_id=" + a.client, "invalid_request"},
		"unknown client": {"application/x-www-form-urlencoded", "client_id=" + sampleSoftware, "invalid_client"},
	} {
		header := http.Header{}
		if tt.media != "" {
			header.Set("Content-Type", tt.media)
		}
		got := a.Do(t, http.MethodPost, url, header, strings.NewReader(tt.body)).Want(t, http.StatusBadRequest)
		if word := got.String(t, "error"); word != tt.want {
			t.Errorf("%s: error %s, want %s", name, word, tt.want)
		}
	}
	a.wantStatus(t, "CREATED")
}

func (a *app) ask(t *testing.T) {
	// The requirement's table spells the parameter so.
	a.denied = a.Form(t, "west", a.org, "device_authorization", "client_ID", a.client).Want(t, http.StatusOK)
	got := a.denied.JSON(t)
	if code, _ := got["device_code"].(string); !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(code) {
		t.Errorf("device_code is %q", code)
	}
	if code, _ := got["user_code"].(string); !regexp.MustCompile(`^[A-Z0-9]{4}-[A-Z0-9]{4}$`).MatchString(code) {
		t.Errorf("user_code is %q", code)
	}
	place := "/provider"
	if a.org != System {
		place = "/tenant/" + a.org
	}
	if got["verification_uri"] != a.Site("west").API+place+"/administration/access-control/service-accounts" {
		t.Errorf("verification_uri is %v", got["verification_uri"])
	}
	if got["expires_in"] != 3600.0 || got["interval"] != 60.0 || len(got) != 5 {
		t.Errorf("device authorization %v", got)
	}
	a.wantStatus(t, "REQUESTED")
}

func (a *app) poll(t *testing.T, device Answer) Answer {
	t.Helper()
	return a.Poll(t, "west", a.org, a.client, device.String(t, "device_code"))
}

func (a *app) pending(t *testing.T) {
	got := a.poll(t, a.denied).Want(t, http.StatusBadRequest).JSON(t)
	for member, want := range map[string]any{
		"error": "authorization_pending", "minorErrorCode": "authorization_pending",
		"error_description": got["message"], "error_uri": nil, "stackTrace": nil,
	} {
		if value, there := got[member]; !there || value != want {
			t.Errorf("%s is %v, want %v", member, value, want)
		}
	}
	if message, _ := got["message"].(string); message == "" || len(got) != 6 {
		t.Errorf("the refusal is %v", got)
	}
}

func (a *app) slowDown(t *testing.T) {
	for range 2 {
		if word := a.poll(t, a.denied).Want(t, http.StatusBadRequest).String(t, "error"); word != "slow_down" {
			t.Errorf("a poll too soon is %s", word)
		}
	}
	a.wantStatus(t, "REQUESTED")
}

func (a *app) lookUp(t *testing.T) {
	code := a.denied.String(t, "user_code")
	typed := strings.ToLower(strings.ReplaceAll(code, "-", ""))
	got := a.Decide(t, "west", a.admin, "", typed).Want(t, http.StatusSeeOther)
	if where := got.Header.Get("Location"); where != a.Site("west").API+Accounts(a.client) {
		t.Errorf("Location is %q", where)
	}
	body := got.JSON(t)
	account, _ := body["serviceAccount"].(map[string]any)
	if account["name"] != sampleName || account["softwareId"] != sampleSoftware || account["softwareVersion"] != "1.0" {
		t.Errorf("the account shown is %v", account)
	}
	if rights, _ := body["rights"].([]any); len(rights) == 0 || body["requesterAddress"] == "" || body["requestedAt"] == "" {
		t.Errorf("the request shown is %v", body)
	}
	for _, secret := range []string{a.denied.String(t, "device_code"), code} {
		if strings.Contains(string(got.Body), secret) {
			t.Error("looking up shows a code")
		}
	}
}

func (a *app) deny(t *testing.T) {
	code := a.denied.String(t, "user_code")
	a.Decide(t, "west", a.admin, "/deny", code).Want(t, http.StatusNoContent)
	a.wantStatus(t, "CREATED")
	if word := a.poll(t, a.denied).Want(t, http.StatusBadRequest).String(t, "error"); word != "access_denied" {
		t.Errorf("the app is told %s", word)
	}
	a.Decide(t, "west", a.admin, "/grant", code).Want(t, http.StatusNotFound)
	a.wantStatus(t, "CREATED")
}

func (a *app) grant(t *testing.T) {
	a.first = a.Ask(t, "west", a.org, a.client).Want(t, http.StatusOK)
	a.second = a.Ask(t, "west", a.org, a.client).Want(t, http.StatusOK)
	code := a.second.String(t, "user_code")
	got := a.Decide(t, "west", a.admin, "/grant", code).Want(t, http.StatusNoContent)
	if len(got.Body) != 0 {
		t.Errorf("granting answers %s", got.Body)
	}
	a.wantStatus(t, "GRANTED")
	a.Decide(t, "west", a.admin, "/grant", code).Want(t, http.StatusNotFound)
	if word := a.poll(t, a.first).Want(t, http.StatusBadRequest).String(t, "error"); word != "authorization_pending" {
		t.Errorf("the request that nobody approved is %s", word)
	}
	// Another client that got hold of the code is not the app it was granted to.
	other := a.Register(t, "west", a.org, a.admin, "stranger", sampleSoftware, a.role)
	stranger := a.Poll(t, "west", a.org, other, a.second.String(t, "device_code"))
	if word := stranger.Want(t, http.StatusBadRequest).String(t, "error"); word != "invalid_grant" {
		t.Errorf("another client's poll is %s", word)
	}
	a.wantStatus(t, "GRANTED")
}

func (a *app) fetch(t *testing.T) {
	answer := a.poll(t, a.second).Want(t, http.StatusOK)
	got := answer.JSON(t)
	a.access, _ = got["access_token"].(string)
	a.refreshed, _ = got["refresh_token"].(string)
	if got["token_type"] != "Bearer" || got["expires_in"] != 2592000.0 || len(got) != 4 {
		t.Errorf("the token answer has type %v, expires_in %v and %d members", got["token_type"], got["expires_in"], len(got))
	}
	if !regexp.MustCompile(`^[A-Za-z0-9]{32}$`).MatchString(a.refreshed) || strings.Count(a.access, ".") != 2 {
		t.Error("the tokens do not have their form")
	}
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Error("tokens may be cached")
	}
	a.wantStatus(t, "ACTIVE")
	seen := a.Get(t, "west", Accounts(a.client), Bearer(a.admin)).Want(t, http.StatusOK)
	for _, secret := range []string{a.access, a.refreshed, a.second.String(t, "device_code"), a.second.String(t, "user_code")} {
		if strings.Contains(string(seen.Body), secret) {
			t.Error("an administrator sees a secret of the account")
		}
	}
}

func (a *app) fetchAgain(t *testing.T) {
	for _, device := range []Answer{a.second, a.first} {
		if word := a.poll(t, device).Want(t, http.StatusBadRequest).String(t, "error"); word != "invalid_grant" {
			t.Errorf("a poll after the tokens were fetched is %s", word)
		}
	}
	a.wantStatus(t, "ACTIVE")
}

func (a *app) call(t *testing.T) {
	a.wantSample(t, a.access, "west", a.org)
	a.Get(t, "west", "/sample/inventory", nil).Want(t, http.StatusUnauthorized)
	a.Get(t, "west", "/sample/inventory", Bearer(a.access+"x")).Want(t, http.StatusUnauthorized)
	a.Get(t, "east", "/sample/inventory", Bearer(a.access)).Want(t, http.StatusUnauthorized)
}

// wantSample calls the sample service with a token and wants it fulfilled at a
// site in an organization.
func (s *stage) wantSample(t *testing.T, token, site, org string, context ...string) map[string]any {
	t.Helper()
	a := s.Get(t, "west", "/sample/inventory", Bearer(token, context...)).Want(t, http.StatusOK)
	got := a.JSON(t)
	if got["site"] != site || got["organization"] != org {
		t.Errorf("%v was fulfilled by %v in %v, want %s in %s", context, got["site"], got["organization"], site, org)
	}
	s.wantServedBy(t, a, site, org)
	return got
}

func (s *stage) wantServedBy(t *testing.T, a Answer, site, org string) {
	t.Helper()
	want := s.location(site, org)
	if got := a.Header.Get("X-Causeway-Served-By"); got != want {
		t.Errorf("the answer says it was served by %q, want %q (%s at %s)", got, want, org, site)
	}
}

const systemOrg = "a93c9db9-7471-3192-8d09-a8f7eeda85f9"

// location is the LocationId of an organization.
func (s *stage) location(site, org string) string {
	id := systemOrg
	if org != System {
		id = bare(s.Site(site).Org(org).ID)
	}
	return id + "@" + bare(s.Site(site).ID)
}

func bare(urn string) string { return urn[strings.LastIndexByte(urn, ':')+1:] }

func (a *app) refresh(t *testing.T, token string) (access, refreshed string) {
	t.Helper()
	got := a.Refresh(t, "west", a.org, token).Want(t, http.StatusOK)
	return got.String(t, "access_token"), got.String(t, "refresh_token")
}

func (a *app) wantRefused(t *testing.T, org, token string) {
	t.Helper()
	if word := a.Refresh(t, "west", org, token).Want(t, http.StatusBadRequest).String(t, "error"); word != "invalid_grant" {
		t.Errorf("the refresh is %s", word)
	}
}

func (a *app) rotate(t *testing.T) {
	elsewhere := System // clients try one realm after the other
	if a.org == System {
		elsewhere = "acme"
	}
	a.wantRefused(t, elsewhere, a.refreshed)
	_, one := a.refresh(t, a.refreshed)
	access, again := a.refresh(t, a.refreshed)
	if one == a.refreshed || again != one {
		t.Error("a spent token did not give its one successor again")
	}
	a.wantSample(t, access, "west", a.org) // using the access token closes no window
	if _, again = a.refresh(t, a.refreshed); again != one {
		t.Error("after its access token was used, the spent token gave another successor")
	}
	a.access, a.last = a.refresh(t, one)
	if a.last == one || a.last == a.refreshed {
		t.Error("the successor did not rotate")
	}
	a.wantSample(t, a.access, "west", a.org)
	a.wantRefused(t, elsewhere, a.refreshed) // even a replay: it is no business of theirs
	a.wantSample(t, a.access, "west", a.org)
	a.wantStatus(t, "ACTIVE")
}

func (a *app) replay(t *testing.T) {
	a.wantRefused(t, a.org, a.refreshed)
	a.wantStatus(t, "CREATED")
	a.wantRefused(t, a.org, a.last)
	a.Get(t, "west", "/sample/inventory", Bearer(a.access)).Want(t, http.StatusUnauthorized)
}
