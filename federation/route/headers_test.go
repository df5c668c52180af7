package route

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"causeway/internal/problem"
)

func TestContexts_R8(t *testing.T) {
	h := http.Header{}
	h.Add("x-vmware-vcloud-auth-context", "Acme")
	h.Add("X-VMWARE-VCLOUD-AUTH-CONTEXT", "Acme")
	h.Add("X-Vmware-VCloud-Tenant-Context", string(acme))
	auth, tenant, err := Contexts(h)
	if auth != "Acme" || tenant != string(acme) || err != nil {
		t.Fatal(auth, tenant, err)
	}
	h.Add("X-VMWARE-VCLOUD-AUTH-CONTEXT", "Beta")
	if _, _, err := Contexts(h); !problem.Has(err, problem.BadRequest) {
		t.Fatal(err)
	}
}

func FuzzDecide(f *testing.F) {
	for _, s := range [][2]string{
		{"", ""}, {"Acme", string(acme)}, {at(remoteB, siteB), ""}, {"Beta", "urn:vcloud:org:" + string(remoteB)},
		{"a\x00", "x"}, {"\xff", "urn:"}, {"İ", ""}, {"@", "@"},
	} {
		f.Add(s[0], s[1], false, false)
		f.Add(s[0], s[1], true, true)
	}
	f.Fuzz(func(t *testing.T, auth, tenant string, provider, forwarded bool) {
		w := newWorld().associate(acme, remoteB, "Beta", siteB, active).associate(acme, shared, "Shared", self, active)
		in := Input{Self: self, Session: tenantSession, AuthContext: auth, TenantContext: tenant, Forwarded: forwarded, Dst: acme, View: w}
		if provider {
			in.Session = providerSession
		}
		d := Decide(in)
		checkInvariants(t, in, w, d)
		if d.Problem != nil && (!utf8.ValidString(d.Problem.Detail) || strings.ContainsAny(d.Problem.Detail, "\r\n\x00")) {
			t.Fatalf("the answer repeats what was sent: %q", d.Problem.Detail)
		}
		if (!utf8.ValidString(auth) || len(strings.Trim(auth, " \t")) > maxContext) && d.Row != RowMalformed {
			t.Fatalf("%q got to row %s", auth, d.Row)
		}
	})
}
