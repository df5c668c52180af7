package oauthhttp

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"causeway/internal/problem"
	"causeway/tenants"
)

const someClient = "734e3845-1573-4f07-9b6c-b493c9042187"

func TestClientID_VCD67(t *testing.T) {
	for _, tt := range []struct {
		name string
		form url.Values
		want problem.Code // empty: it is someClient
	}{
		{"client_id", url.Values{"client_id": {someClient}}, ""},
		{"the other spelling", url.Values{"client_ID": {someClient}}, ""},
		{"a blank in front, as documented", url.Values{"client_id": {" " + someClient}}, ""},
		{"blanks around", url.Values{"client_ID": {"\t" + someClient + " "}}, ""},
		{"capitals", url.Values{"client_id": {strings.ToUpper(someClient)}}, ""},
		{"none", url.Values{}, problem.InvalidRequest},
		{"both, and they differ", url.Values{"client_id": {someClient}, "client_ID": {strings.Repeat("0", 36)}}, problem.InvalidRequest},
		{"both, and they agree", url.Values{"client_id": {someClient}, "client_ID": {someClient}}, problem.InvalidRequest},
		{"a third spelling", url.Values{"CLIENT_ID": {someClient}}, problem.InvalidRequest},
		{"a URN", url.Values{"client_id": {"urn:vcloud:serviceAccount:" + someClient}}, problem.InvalidClient},
		{"no dashes", url.Values{"client_id": {strings.ReplaceAll(someClient, "-", "")}}, problem.InvalidClient},
		{"a name", url.Values{"client_id": {"inventory-bot"}}, problem.InvalidClient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := clientID(tt.form)
			if tt.want == "" && (err != nil || id != someClient) {
				t.Errorf("got %q, %v", id, err)
			}
			if tt.want != "" && !problem.Has(err, tt.want) {
				t.Errorf("got %q, %v, want %s", id, err, tt.want)
			}
		})
	}
}

func FuzzClientID(f *testing.F) {
	for _, s := range []string{"", someClient, "{" + someClient + "}", " " + someClient, "\x00", strings.Repeat("-", 36)} {
		f.Add(s)
	}
	bare := regexp.MustCompile(`^[a-f0-9]{8}(-[a-f0-9]{4}){3}-[a-f0-9]{12}$`)
	f.Fuzz(func(t *testing.T, given string) {
		id, err := clientID(url.Values{"client_id": {given}})
		switch {
		case err == nil && !bare.MatchString(string(id)):
			t.Fatalf("%q is read as %q", given, id)
		case err != nil && !problem.Has(err, problem.InvalidClient) && !problem.Has(err, problem.InvalidRequest):
			t.Fatalf("%q: %v", given, err)
		}
	})
}

// What manages accounts asks for the right to manage them and for nothing less;
// what only looks does not ask for it alone. What concerns API tokens asks for a
// right that no machine has.
func TestRoutesAskForRights_VCD13_VCD35_VCD36(t *testing.T) {
	const accounts, own, all = tenants.RightAccountsManage, tenants.RightTokenManage, tenants.RightTokenManageAll
	e := (&Handler{}).Endpoints()
	for _, rt := range e.Routes {
		want := []tenants.Right{accounts}
		switch {
		case strings.HasSuffix(rt.Path, "/introspect"):
			if !slices.Equal(rt.Rights, []tenants.Right{tenants.RightSessionView}) || !rt.Home {
				t.Errorf("%s is allowed by %q, and leaves the site: %v", rt.Path, rt.Rights, !rt.Home)
			}
			continue
		case strings.HasSuffix(rt.Path, "/register"):
			want = []tenants.Right{accounts, own}
		case rt.Path == tokensPath && rt.Method == "POST":
			want = []tenants.Right{own}
		case strings.HasPrefix(rt.Path, tokensPath):
			want = []tenants.Right{own, all}
		case strings.HasPrefix(rt.Path, keysPath):
			want = []tenants.Right{tenants.RightSiteManage}
			if rt.Method == "GET" {
				want = []tenants.Right{tenants.RightSiteView, tenants.RightSiteManage}
			}
		case rt.Method == "GET":
			want = []tenants.Right{tenants.RightAccountsView, tenants.RightAccountsLimitedView, accounts}
		}
		if !slices.Equal(rt.Rights, want) {
			t.Errorf("%s %s is allowed by %q, want %q", rt.Method, rt.Path, rt.Rights, want)
		}
		for _, right := range []tenants.Right{own, all} {
			if tenants.MachineRights().Has(right) {
				t.Errorf("a machine may have %q", right)
			}
		}
	}
	strangers := []string{"POST /token", "POST /device_authorization", "POST /revoke", "GET /jwks", "GET " + wellKnown, "GET " + instanceKeysPath}
	for _, open := range e.Open {
		realm := strings.NewReplacer("/oauth/tenant/:org", "", "/oauth/provider", "").Replace(open.Path)
		if !slices.Contains(strangers, open.Method+" "+realm) {
			t.Errorf("%s %s is open to strangers", open.Method, open.Path)
		}
	}
}
