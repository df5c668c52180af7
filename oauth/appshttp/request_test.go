package appshttp

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"causeway/internal/httpapi"
	"causeway/internal/problem"
	"causeway/oauth/apps"
	"causeway/services"
)

const wholeRequest = `{"id":"my-app","displayName":"My app","description":"","grantTypes":["client_credentials"],
	"allowedScopes":{"generalScopes":["openid"],"organizationScopes":{"allRoles":false,"roles":[{"name":"org_member"}]},
		"servicesScopes":[{"serviceDefinitionId":"` + aoa + `","allRoles":false,"roles":[{"name":"aoa:proxies","resource":null},{"name":"aoa:viewer","resource":"*"}]}]},
	"accessTokenTTL":1800,"refreshTokenTTL":0,"ownerOnlySecretRotation":true,"secretRotationExpirationInSeconds":3600,
	"redirectUris":["https://x"],"forcePkce":false,"Immutable":true,"organizationId":"other"}`

func readRequest(text string) (q appRequest, err error) {
	return q, httpapi.ParseJSON(bodyOf(text), &q)
}

func TestAppRequest_CSP_25(t *testing.T) {
	q, err := readRequest(wholeRequest)
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.draft()
	want := apps.Draft{ID: "my-app", DisplayName: "My app", Settings: apps.Settings{
		GrantTypes: []string{"client_credentials"}, AccessTTL: 30 * time.Minute, OwnerOnlyRotation: true, RotationOverlap: time.Hour,
		Ceiling: services.Ceiling{General: []string{"openid"}, Org: []string{"org_member"}, Services: []services.ServiceCeiling{
			{Definition: aoa, Roles: []services.ScopedRole{{Name: "aoa:proxies"}, {Name: "aoa:viewer"}}},
		}},
		Echo: map[string]any{"redirectUris": []any{"https://x"}, "forcePkce": false},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
	for _, member := range []string{"displayName", "description", "grantTypes", "allowedScopes"} {
		q, err := readRequest(strings.Replace(wholeRequest, `"`+member+`"`, `"x`+member+`"`, 1))
		if err == nil {
			_, err = q.draft()
		}
		if !problem.Has(err, problem.BadRequest) || !strings.Contains(err.Error(), member) {
			t.Errorf("without %s: %v", member, err)
		}
	}
	for _, text := range []string{
		strings.Replace(wholeRequest, "1800", "0", 1), strings.Replace(wholeRequest, "1800", "-1", 1), strings.Replace(wholeRequest, "1800", `"x"`, 1),
		strings.Replace(wholeRequest, "1800", "99999999999999", 1), strings.Replace(wholeRequest, aoa, "aoa", 1), `[]`, `null`, ``, `{"displayName":1}`,
		`{` + manyMembers(maxEchoed+1) + `"displayName":""}`,
	} {
		q, err := readRequest(text)
		if err == nil {
			_, err = q.draft()
		}
		if !problem.Has(err, problem.BadRequest) {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func manyMembers(n int) (text string) {
	for i := range n {
		text += fmt.Sprintf(`"m%d":1,`, i)
	}
	return text
}

// What is not mentioned stays; null takes an echo away.
func TestAppRequest_ChangeKeepsWhatIsNotSaid(t *testing.T) {
	before := apps.Change{DisplayName: "Old", Settings: apps.Settings{
		GrantTypes: []string{"refresh_token"}, AccessTTL: time.Hour, OwnerOnlyRotation: true,
		Ceiling: services.Ceiling{AllOrg: true}, Echo: map[string]any{"a": "1", "b": "2"},
	}}
	q, err := readRequest(`{"displayName":"New","description":"d","grantTypes":["client_credentials"],"b":null,"c":3}`)
	if err != nil {
		t.Fatal(err)
	}
	c := before
	if err := q.change(&c); err != nil {
		t.Fatal(err)
	}
	want := before
	want.DisplayName, want.Description, want.GrantTypes = "New", "d", []string{"client_credentials"}
	want.Echo = map[string]any{"a": "1", "c": float64(3)}
	if !reflect.DeepEqual(c, want) || len(before.Echo) != 2 {
		t.Errorf("changed to %+v", c)
	}
	q.Secret = "x"
	if err := q.change(&c); !problem.Has(err, problem.BadRequest) {
		t.Errorf("with a secret: %v", err)
	}
}

// What is read is shown again, and is read from there again as it was.
func FuzzAppRequest(f *testing.F) {
	for _, seed := range []string{wholeRequest, `{}`, `{"displayName":"a","description":"b","grantTypes":[],"allowedScopes":null}`, `{"ID":"x","iD":"y"}`, `[`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := readRequest(text)
		var d apps.Draft
		if err == nil {
			d, err = q.draft()
		}
		if err != nil {
			if problem.From(err).Code != problem.BadRequest {
				t.Fatal(err)
			}
			return
		}
		shown, err := json.Marshal(newApp(apps.App{ID: apps.ID(d.ID), DisplayName: d.DisplayName, Description: d.Description, Settings: d.Settings}, time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		again, err := readRequest(string(shown))
		if err != nil {
			t.Fatal(err)
		}
		c := apps.Change{}
		if d.AccessTTL == 0 || d.GrantTypes == nil {
			return // not what is ever stored
		}
		if err := again.change(&c); err != nil {
			t.Fatalf("%v of %s", err, shown)
		}
		if c.AccessTTL != d.AccessTTL || c.DisplayName != d.DisplayName || len(c.Ceiling.Services) != len(d.Ceiling.Services) || !reflect.DeepEqual(c.Echo, d.Echo) && len(d.Echo) > 0 && !hasNull(d.Echo) {
			t.Fatalf("%+v is read again as %+v", d, c)
		}
	})
}

func hasNull(echo map[string]any) bool {
	for _, v := range echo {
		if v == nil {
			return true
		}
	}
	return false
}

func TestParseRotation(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`{"newClientSecret":"x"}`: 0, `{"newClientSecret":"x","secretRotationExpirationInSeconds":60}`: time.Minute,
		`{}`: -1, `{"newClientSecret":"x","secretRotationExpirationInSeconds":0}`: -1, `{"newClientSecret":1}`: -1,
		`{"newClientSecret":"x","secretRotationExpirationInSeconds":1.5}`: -1, `{"newClientSecret":"x","secretRotationExpirationInSeconds":99999999999}`: -1,
	} {
		s, overlap, err := parseRotation(bodyOf(text))
		if want < 0 && !problem.Has(err, problem.BadRequest) || want >= 0 && (err != nil || overlap != want || s != "x") {
			t.Errorf("%s: %s, %v", text, overlap, err)
		}
	}
}

func FuzzParseRotation(f *testing.F) {
	f.Add(`{"newClientSecret":"x","secretRotationExpirationInSeconds":60}`)
	f.Fuzz(func(t *testing.T, text string) {
		if s, overlap, err := parseRotation(bodyOf(text)); err == nil && (s == "" || overlap < 0) || err != nil && problem.From(err).Code != problem.BadRequest {
			t.Fatalf("%s, %v", overlap, err)
		}
	})
}

// What is named like a secret is refused, whatever else would be done with it: an echo
// is for everybody who reads the app.
func TestAppRequest_R7_SecretsAreNoEchoes(t *testing.T) {
	for _, member := range []string{
		`"mySecret":"x"`, `"client-secret":"x"`, `"client_secret":"x"`, `"SECRET_KEY":["x"]`, `"pass word":"x"`, `"adminPassword":"x"`, `"api_token":"x"`,
		`"refreshToken":"x"`, `"my\u017fecret":"x"`, `"to\u212aen":"x"`, `"more":{"deep":[{"apiToken":"x"}]}`, `"secretary":0`,
	} {
		_, err := readRequest(strings.Replace(wholeRequest, `"forcePkce":false`, member, 1))
		if !problem.Has(err, problem.BadRequest) {
			t.Errorf("%s: %v", member, err)
		}
	}
	for _, member := range []string{`"accessTokenTtl":1800`, `"idTokenTTL":60`, `"maxGroupsInIdToken":3`, `"mySecret":null`, `"forcePkce":true`} {
		if _, err := readRequest(strings.Replace(wholeRequest, `"forcePkce":false`, member, 1)); err != nil {
			t.Errorf("%s: %v", member, err)
		}
	}
	q, err := readRequest(strings.Replace(wholeRequest, `"forcePkce":false`, `"\u017fecret":"abcdefghijabcdefghijabcdefghijab"`, 1))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := q.draft(); err != nil || len(d.Echo) != 1 {
		t.Errorf("echoed: %v, %v", d.Echo, err)
	}
}
