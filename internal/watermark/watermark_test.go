package watermark

import (
	"slices"
	"testing"

	"causeway/internal/journal"
	"causeway/tenants"
)

// What may take something from a service account ends the families that it may
// concern; who adds an action says which it is.
func TestScopeOf_R12_EndsWhatMayHaveLostSomething(t *testing.T) {
	ends := []journal.Action{
		journal.OrganizationUpdated, journal.OrganizationDisabled, journal.OrganizationDeleted, journal.OrganizationLimited,
		journal.RoleUpdated, journal.RoleDeleted, journal.GlobalRoleUpdated, journal.GlobalRolePublished, journal.GlobalRoleDeleted,
		journal.BundleUpdated, journal.BundlePublished, journal.BundleDeleted,
		journal.QuotaPolicyUpdated, journal.QuotaPolicyAssigned, journal.QuotaPolicyDeleted,
		journal.AccountCreated, journal.AccountUpdated, journal.AccountRevoked, journal.AccountDeleted, journal.AccountActivated, journal.AccountTakenOver,
		journal.FamilyReplayed, journal.FamilyExpired, journal.SiteRestored, journal.RolesGranted, journal.CustomRoleUpdated, journal.CustomRoleDeleted,
	}
	for _, a := range append(journal.Actions(), "of.tomorrow") {
		_, got := ScopeOf(journal.Entry{Org: "o", Action: a})
		if want := a == "of.tomorrow" || slices.Contains(ends, a); got != want {
			t.Errorf("%s ends families: %v", a, got)
		}
	}
	system := string(tenants.SystemOrgID)
	for _, tt := range []struct {
		entry journal.Entry
		want  Scope
	}{
		{journal.Entry{Org: "o", Action: journal.AccountRevoked, Subject: journal.Subject{Kind: journal.KindAccount, ID: "a"}}, "o/a"},
		{journal.Entry{Org: system, Action: journal.AccountRevoked, Subject: journal.Subject{Kind: journal.KindAccount, ID: "a"}}, Scope(system + "/a")},
		{journal.Entry{Org: "o", Action: journal.RoleUpdated, Subject: journal.Subject{Kind: journal.KindRole, ID: "r"}}, "o"},
		{journal.Entry{Org: system, Action: journal.OrganizationDisabled, Subject: journal.Subject{Kind: journal.KindOrganization, ID: "o"}}, "o"},
		{journal.Entry{Org: system, Action: journal.GlobalRoleUpdated, Subject: journal.Subject{Kind: journal.KindGlobalRole, ID: "g"}}, Everything},
		{journal.Entry{Org: system, Action: journal.SiteRestored, Subject: journal.Subject{Kind: journal.KindSite, ID: "s"}}, Everything},
	} {
		if got, ends := ScopeOf(tt.entry); got != tt.want || !ends {
			t.Errorf("%+v: scope %q, %v", tt.entry, got, ends)
		}
	}
}

// A family goes on only if it is where the backup has it and nothing that it depends on
// changed behind the backup's last row.
func TestMarks_R12_Ended(t *testing.T) {
	m := &Marks{
		ID: "now", Former: []string{"then"}, Rotated: map[string]int64{"f": 3, "r": Revoked},
		Changed: map[Scope]int64{"o/a": 10, "o": 20, Everything: 30},
	}
	for _, tt := range []struct {
		name   string
		family Family
		seq    int64
		ended  bool
	}{
		{"as it is", Family{"x", "y", "f", 3}, 30, false},
		{"never renewed", Family{"x", "y", "g", 0}, 30, false},
		{"revoked since", Family{"x", "y", "r", 3}, 30, true},
		{"renewed since", Family{"x", "y", "f", 2}, 30, true},
		{"changed for all", Family{"x", "y", "g", 0}, 29, true},
		{"changed before", Family{"o", "a", "f", 3}, 30, false},
	} {
		if got := m.Ended(tt.family, tt.seq); (got != "") != tt.ended {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
	delete(m.Changed, Everything)
	for seq, want := range map[int64]bool{9: true, 19: true, 20: false} {
		if got := m.Ended(Family{"o", "a", "f", 3}, seq); (got != "") != want {
			t.Errorf("a backup up to %d: %q", seq, got)
		}
	}
	if !m.Covers("now") || !m.Covers("then") || m.Covers("other") || m.Covers("") || (*Marks)(nil).Covers("now") {
		t.Error("covers what it should not")
	}
}
