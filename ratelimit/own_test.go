package ratelimit

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// acme has a few budgets of its own.
func acme() OrgLimits {
	return OrgLimits{ID: "id-acme", Name: "acme", Limits: Limits{
		DeviceAuthorization: {PerOrg: {Tokens: 200, Per: time.Minute, Burst: 130}},
		UserCode:            {PerAccount: {Tokens: 3, Per: 10 * time.Minute}},
		Management:          {PerAccount: {Tokens: 5, Per: time.Second, Burst: 40}, PerOrg: {Tokens: 10, Per: time.Second, Burst: 90}},
	}}
}

func TestOwnBudgets_R13_HoldForOneOrganizationAlone(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	l.SetOrgs([]OrgLimits{acme()})
	for _, tt := range []struct {
		name Name
		keys []Key
		want int
	}{
		{Management, []Key{Account("ada"), Org("id-acme")}, 40},
		{Management, []Key{Account("bob"), Org("id-acme")}, 40},
		{Management, []Key{Account("eve"), Org("id-acme")}, 10}, // the rest of 90
		{Management, []Key{Account("ada"), Org("id-globex")}, 3000},
		{UserCode, []Key{Account("ada"), Org("id-acme")}, 3},
		{UserCode, []Key{Account("ada"), Org("id-globex")}, 10},
		{TokenRefresh, []Key{Account("ada"), Org("id-acme")}, 300}, // nothing of its own
	} {
		if n := spends(l, tt.name, tt.keys...); n != tt.want {
			t.Errorf("%s of %v: %d calls, want %d", tt.name, tt.keys, n, tt.want)
		}
	}
	device := func(org string) (n int) {
		for l.Spend(DeviceAuthorization, addr4(n), Client(fmt.Sprint(org, n)), Org(org)) == nil {
			n++
		}
		return n
	}
	if n := device("acme"); n != 130 {
		t.Errorf("%d device requests of the organization, want its own 130", n)
	}
	if n := device("id-acme"); n != 70 { // a name like another's id: the site's 120, less than the site has left
		t.Errorf("%d device requests of another, want 70", n)
	}
}

// The caller's own bucket is described with the numbers of their organization.
func TestOwnBudgets_AreDescribed(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	l.SetOrgs([]OrgLimits{acme()})
	d := l.Take(Management, Account("ada"), Org("id-acme"))
	if got := d.PolicyHeader() + " " + d.LimitHeader(); got != `"account";q=40;w=8 "account";r=39;t=1` {
		t.Error(got)
	}
}

// What was used stays used when other organizations get budgets, when these
// change, and when cells come and go; who loses theirs has the site's again.
func TestOwnBudgets_ChangeAndForgetNobody(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	l.SetOrgs([]OrgLimits{acme()})
	keys := []Key{Account("ada"), Org("id-acme")}
	for range 10 {
		wantAllowed(t, l.Spend(Management, keys...))
	}
	wantAllowed(t, l.Spend(UserCode, keys...))
	left := func() int { d := l.decide(Management, keys, false); return d.Remaining }
	other := OrgLimits{ID: "x", Name: "x", Limits: Limits{Management: {PerAccount: {Tokens: 1, Per: time.Second}}}}
	l.SetOrgs([]OrgLimits{other, acme()})
	if n := left(); n != 30 {
		t.Errorf("%d left after another organization got budgets, want 30", n)
	}
	more := acme()
	more.Limits[Management][PerAccount] = Budget{Tokens: 5, Per: time.Second, Burst: 60}
	l.SetOrgs([]OrgLimits{more})
	if n := left(); n != 50 {
		t.Errorf("%d left after a change, want 50", n)
	}
	site := Config{Limits: Limits{Management: {PerAccount: {Tokens: 2, Per: time.Second}}}}
	if err := l.Update(site); err != nil {
		t.Fatal(err)
	}
	if n := left(); n != 50 {
		t.Errorf("%d left after a change of the site's, want 50", n)
	}
	site.Cells = 3
	if err := l.Update(site); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, l.Spend(UserCode, keys...), PerAccount) // a third of three is one, and that is used
	before := bucketsOf(l, Management, PerAccount)
	l.SetOrgs(nil)
	if n := left(); n != 2 {
		t.Errorf("%d left without own budgets, want the site's 2", n)
	}
	after := bucketsOf(l, Management, PerAccount)
	if after.Allowed != before.Allowed {
		t.Errorf("%d tokens counted, then %d: counters never fall", before.Allowed, after.Allowed)
	}
	if l.limits[Management].own.Load() != nil {
		t.Error("without own budgets every call still looks for some")
	}
}

// Accounts of organizations with own budgets have as much room together as all
// others, and the newcomers of a full one share a bucket.
func TestOwnBudgets_R13_FixedMemory(t *testing.T) {
	l, _ := newLimiter(t, Config{MaxKeys: 4096})
	orgs := make([]OrgLimits, 8)
	for i := range orgs {
		orgs[i] = acme()
		orgs[i].ID = fmt.Sprint("org-", i)
	}
	l.SetOrgs(orgs)
	for i := range 20_000 {
		_ = l.Spend(Management, Account(fmt.Sprint(i)), Org(orgs[i%8].ID))
	}
	if n := bucketsOf(l, Management, PerAccount).Keys; n > 4096 {
		t.Errorf("%d buckets, want at most 4096", n)
	}
}

// Everything that is wrong is said at once, and what the site gives others is
// part of it.
func TestValidateOrg(t *testing.T) {
	l, _ := newLimiter(t, Config{Limits: Limits{Management: {PerOrg: {Tokens: 700, Per: time.Second, Burst: 6000}}}})
	if err := l.ValidateOrg(acme().Limits); err != nil {
		t.Errorf("refused: %v", err)
	}
	err := l.ValidateOrg(Limits{
		"sundry":            {PerOrg: {Tokens: 1, Per: time.Second}},
		Login:               {PerAccount: {Tokens: 500, Per: time.Minute}},
		DeviceAuthorization: {PerSource: {Tokens: 1, Per: time.Minute}, PerOrg: {Tokens: 50, Per: time.Minute}},
		UserCode:            {PerAccount: {Tokens: 11, Per: 10 * time.Minute}, PerOrg: {}},
		TokenRefresh:        {PerAccount: {Tokens: -1, Per: time.Millisecond}},
		Management:          {PerAccount: {Tokens: 400, Per: time.Second, Burst: 100}},
	})
	if err == nil {
		t.Fatal("nothing was found")
	}
	for _, want := range []string{
		"sundry: org: an organization has no such limit", "login: account: an organization has no such limit",
		"device_authorization: source: an organization has no such limit",
		"device_authorization: org (50 per 1m, burst 50) must be at least 2 times network",
		"user_code: account: 11 per 10m, burst 11 is looser", "user_code: org: it cannot be switched off",
		"token_refresh: account: Tokens is -1", "token_refresh: account: Per is 1ms",
		"management: org (700 per 1s, burst 6000) must be at least 2 times account",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in\n%v", want, err)
		}
	}
}

// What could never be set, as a damaged row could hold, does not count.
func TestSetOrgs_LeavesOutWhatCannotBe(t *testing.T) {
	l, _ := newLimiter(t, Config{})
	l.SetOrgs([]OrgLimits{{ID: "a", Name: "a", Limits: Limits{
		"sundry":   {PerOrg: {Tokens: 1, Per: time.Second}},
		UserCode:   {PerAccount: {Tokens: 200, Per: time.Minute}, PerOrg: {}},
		Management: {PerAccount: {Tokens: 1, Per: 0}, PerClient: {Tokens: 1, Per: time.Second}},
		Login:      {PerAccount: {Tokens: 1, Per: time.Minute}},
	}}})
	for name, want := range map[Name]int{UserCode: 10, Management: 3000} {
		if n := spends(l, name, Account("ada"), Org("a")); n != want {
			t.Errorf("%s: %d calls, want %d", name, n, want)
		}
	}
}
