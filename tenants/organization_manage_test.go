package tenants_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"causeway/federation"
	"causeway/internal/journal"
	"causeway/internal/problem"
	"causeway/internal/store"
	"causeway/internal/store/storetest"
	"causeway/oauth"
	"causeway/tenants"
)

// every setting has a value of its own, so that none can stand for another.
var everySetting = tenants.OrgSettings{
	CanPublishCatalogs: true, CanPublishExternally: true, CanSubscribe: true, DeployedVMQuota: 1, StoredVMQuota: 2,
	UseServerBootSequence: true, DelayAfterPowerOnSeconds: 3,
	VAppLease:         tenants.Lease{DeleteOnStorageExpiration: true, DeploymentSeconds: 4, StorageSeconds: 5, PowerOffOnRuntimeLeaseExpiry: true},
	VAppTemplateLease: tenants.Lease{DeleteOnStorageExpiration: true, StorageSeconds: 6},
	LdapMode:          "SYSTEM", LdapCustomUsersOU: "OU=x",
	Passwords: tenants.PasswordPolicy{LockoutEnabled: true, InvalidLogins: 7, LockoutIntervalMinutes: 8},
	Tokens:    tenants.TokenPolicy{RetryWindow: tenants.Just(0), GraceWindow: tenants.Just(9), MaxRetries: tenants.Just(10), MaxAge: tenants.Just(3600)},
}

func (p *people) listed(scope tenants.OrgID, q tenants.Query) ([]string, int) {
	p.t.Helper()
	q.Page, q.PageSize = 1, 100
	list, total, err := p.service.Organizations(p.ctx(), scope, q)
	p.must(err)
	var names []string
	for _, o := range list {
		names = append(names, o.Name)
	}
	return names, total
}

func (p *people) change(by tenants.Caller, id tenants.OrgID, f func(*tenants.Organization)) error {
	_, err := p.service.UpdateOrganization(p.ctx(), by, id, f)
	return err
}

func TestOrganizations_CreateReadUpdate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.listed(tenants.SystemOrgID, tenants.Query{}) // the total is remembered
		want := tenants.Organization{Name: "Initech", DisplayName: "Initech Inc.", Description: "a\nb", Enabled: true, Settings: everySetting}
		made, err := p.service.CreateOrganization(p.ctx(), p.root, want)
		p.must(err)
		want.ID, want.CreatedAt = made.ID, p.now
		if got := p.snapshot(made.ID).Organization; got != want || made != want {
			t.Errorf("created %+v\nread %+v\nwant %+v", made, got, want)
		}
		if names, total := p.listed(tenants.SystemOrgID, tenants.Query{}); strings.Join(names, " ") != "Acme Initech System" || total != 3 {
			t.Errorf("listed %q of %d", names, total)
		}

		want.Name, want.DisplayName, want.Description, want.Settings = "Initrode", "", "new", tenants.OrgSettings{StoredVMQuota: 1}
		got, err := p.service.UpdateOrganization(p.ctx(), p.root, made.ID, func(o *tenants.Organization) {
			o.ID, o.CreatedAt, o.Quota = "other", p.now.Add(1), "other" // not the caller's to say
			o.Name, o.DisplayName, o.Description, o.Settings = want.Name, want.DisplayName, want.Description, want.Settings
		})
		p.must(err)
		if read := p.snapshot(made.ID).Organization; got != want || read != want {
			t.Errorf("updated %+v\nread %+v\nwant %+v", got, read, want)
		}
		row := p.recorded(journal.OrganizationUpdated)[0]
		if row.Detail["name.old"] != "Initech" || row.Detail["name.new"] != "Initrode" || row.Detail["description.new"] != "new" ||
			row.Detail["settings"] != "general quotas vAppLeaseSettings vAppTemplateLeaseSettings ldap passwordPolicy tokenPolicy" || row.Org != string(made.ID) {
			t.Errorf("recorded %+v", row)
		}
	})
}

func TestOrganizations_NothingChangedIsNotRecorded(t *testing.T) {
	t.Parallel()
	p := newPeople(t, storetest.New(t, storetest.SQLite))
	before := len(p.all())
	p.must(p.change(p.boss, p.acme.ID, func(*tenants.Organization) {}))
	p.must(p.service.EnableOrganization(p.ctx(), p.root, p.acme.ID))
	if after := len(p.all()); after != before {
		t.Errorf("%d rows were written about nothing", after-before)
	}
	if !p.live(p.boss.Principal.Session) {
		t.Error("a session ended for nothing")
	}
}

func TestOrganizations_BadInputChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		before := len(p.all())
		for name, tt := range map[string]struct {
			change func(*tenants.Organization)
			want   problem.Code
		}{
			"no name":             {func(o *tenants.Organization) { o.Name = "" }, problem.BadRequest},
			"a path":              {func(o *tenants.Organization) { o.Name = "a/b" }, problem.BadRequest},
			"a login's separator": {func(o *tenants.Organization) { o.Name = "a@b" }, problem.BadRequest},
			"1 MB":                {func(o *tenants.Organization) { o.Name = strings.Repeat("n", 1<<20) }, problem.BadRequest},
			"the provider's name": {func(o *tenants.Organization) { o.Name = "sYSTEM" }, problem.DuplicateName},
			"a long full name":    {func(o *tenants.Organization) { o.DisplayName = strings.Repeat("n", 4097) }, problem.BadRequest},
			"not UTF-8":           {func(o *tenants.Organization) { o.Description = "\xff" }, problem.BadRequest},
			"NUL":                 {func(o *tenants.Organization) { o.Description = "a\x00" }, problem.BadRequest},
			"negative":            {func(o *tenants.Organization) { o.Settings.StoredVMQuota = -1 }, problem.BadRequest},
			"more than clients read": {func(o *tenants.Organization) { o.Settings.VAppLease.StorageSeconds = 1 << 31 },
				problem.BadRequest},
			"0 to 100 logins": {func(o *tenants.Organization) { o.Settings.Passwords.InvalidLogins = 101 }, problem.BadRequest},
			"0 to 1440 minutes": {func(o *tenants.Organization) { o.Settings.Passwords.LockoutIntervalMinutes = 1441 },
				problem.BadRequest},
			"negative minutes":       {func(o *tenants.Organization) { o.Settings.Passwords.LockoutIntervalMinutes = -1 }, problem.BadRequest},
			"a directory of its own": {func(o *tenants.Organization) { o.Settings.LdapMode = "CUSTOM" }, problem.BadRequest},
			"a directory's text":     {func(o *tenants.Organization) { o.Settings.LdapCustomUsersOU = "\x01" }, problem.BadRequest},
		} {
			t.Run(name, func(t *testing.T) {
				wantProblem(t, p.change(p.root, p.acme.ID, tt.change), tt.want)
				o := tenants.Organization{Name: "fine"}
				tt.change(&o)
				_, err := p.service.CreateOrganization(p.ctx(), p.root, o)
				wantProblem(t, err, tt.want)
			})
		}
		if after := len(p.all()); after != before {
			t.Errorf("%d rows were written", after-before)
		}
		if names, _ := p.listed(tenants.SystemOrgID, tenants.Query{}); strings.Join(names, " ") != "Acme System" {
			t.Errorf("organizations: %q", names)
		}
	})
}

func TestOrganizations_R7_TenantChangesItsTextsAndSettingsOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.must(p.change(p.boss, p.acme.ID, func(o *tenants.Organization) {
			o.DisplayName, o.Description, o.Settings = "ours", "too", everySetting
		}))
		before := p.snapshot(p.acme.ID).Organization
		if before.DisplayName != "ours" || before.Description != "too" || before.Settings != everySetting {
			t.Errorf("changed to %+v", before)
		}
		wantProblem(t, p.change(p.boss, p.acme.ID, func(o *tenants.Organization) { o.Name = "other" }), problem.Forbidden)
		wantProblem(t, p.service.DisableOrganization(p.ctx(), p.boss, p.acme.ID), problem.Forbidden)
		_, err := p.service.DeleteOrganization(p.ctx(), p.boss, p.acme.ID)
		wantProblem(t, err, problem.NotFound)
		if after := p.snapshot(p.acme.ID).Organization; after != before {
			t.Errorf("changed to %+v", after)
		}
	})
}

func TestOrganizations_R6_ForeignIsAbsent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		globex := p.newOrg("Globex")
		touch := func(o *tenants.Organization) { o.DisplayName = "mine" }
		foreign, absent := p.change(p.boss, globex, touch), p.change(p.boss, tenants.OrgID(tenants.NewID()), touch)
		wantProblem(t, foreign, problem.NotFound)
		if foreign.Error() != absent.Error() {
			t.Errorf("foreign: %v, absent: %v", foreign, absent)
		}
		for name, q := range map[string]tenants.Query{
			"all":         {},
			"by name":     {Where: "name = ?", Args: []any{"Globex"}},
			"by anything": {Where: "name = ? OR 1 = 1", Args: []any{"Globex"}},
		} {
			names, total := p.listed(p.acme.ID, q)
			if got := strings.Join(names, " "); (got != "" && got != "Acme") || total != len(names) {
				t.Errorf("%s: a tenant sees %q of %d", name, names, total)
			}
		}
	})
}

func TestOrganizations_SystemStays(t *testing.T) {
	t.Parallel()
	p := newPeople(t, storetest.New(t, storetest.SQLite))
	wantProblem(t, p.service.DisableOrganization(p.ctx(), p.root, tenants.SystemOrgID), problem.BadRequest)
	wantProblem(t, p.change(p.root, tenants.SystemOrgID, func(o *tenants.Organization) { o.Name = "SYSTEM" }), problem.BadRequest)
	_, err := p.service.DeleteOrganization(p.ctx(), p.root, tenants.SystemOrgID)
	wantProblem(t, err, problem.BadRequest)
	p.must(p.change(p.root, tenants.SystemOrgID, func(o *tenants.Organization) { o.DisplayName = "The provider" }))
}

func TestOrganizations_EnablingAndDisablingEndSessions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.must(p.service.DisableOrganization(p.ctx(), p.root, p.acme.ID))
		if p.live(p.boss.Principal.Session) {
			t.Error("a session outlives its organization's disabling")
		}
		if !p.live(p.root.Principal.Session) {
			t.Error("somebody else's session ended")
		}
		u := tenants.User{ID: tenants.UserID(p.boss.Principal.ID), Org: p.acme.ID, Name: "boss", Role: p.boss.Principal.Role}
		if err := p.open(p.newSession(u)); err == nil {
			t.Error("a session opened in a disabled organization")
		}
		p.must(p.service.EnableOrganization(p.ctx(), p.root, p.acme.ID))
		p.must(p.open(p.newSession(u)))
		if d, e := len(p.recorded(journal.OrganizationDisabled)), len(p.recorded(journal.OrganizationEnabled)); d != 1 || e != 1 {
			t.Errorf("recorded %d disablings and %d enablings", d, e)
		}
	})
}

// Whoever logs in while the organization is disabled has a session that ends, or
// none.
func TestOrganizations_LoginRacesDisabling(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		for range 10 {
			p.must(p.service.EnableOrganization(p.ctx(), p.root, p.acme.ID))
			session := p.newSession(u)
			var opened, disabled error
			var wait sync.WaitGroup
			wait.Go(func() { opened = p.open(session) })
			wait.Go(func() { disabled = p.service.DisableOrganization(p.ctx(), p.root, p.acme.ID) })
			wait.Wait()
			p.must(disabled)
			if opened == nil && p.live(session.ID) {
				t.Fatal("a session lives in a disabled organization")
			}
		}
	})
}

func TestOrganizations_ChangesAtTheSameTimeAllCount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		const changes = 8
		errs := make([]error, changes)
		var wait sync.WaitGroup
		for i := range changes {
			wait.Go(func() {
				errs[i] = p.change(p.root, p.acme.ID, func(o *tenants.Organization) { o.Description += strconv.Itoa(i) })
			})
		}
		wait.Wait()
		for _, err := range errs {
			p.must(err)
		}
		if got := p.snapshot(p.acme.ID).Description; len(got) != changes {
			t.Errorf("of %d changes %q is left", changes, got)
		}
	})
}

func TestOrganizations_DeletionLeavesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		u := p.hire("ada", p.author)
		account := oauth.ServiceAccount{ID: oauth.ClientID(tenants.NewID()), Org: p.acme.ID, Name: "bot", SoftwareID: tenants.NewID(), Role: p.author, CreatedAt: p.now}
		p.must(db.OAuth().InTx(p.ctx(), func(tx oauth.Tx) error { return tx.CreateServiceAccount(account) }))
		p.must(db.Federation().InTx(p.ctx(), func(tx federation.Tx) error {
			return tx.PutOrgAssociation(federation.OrgAssociation{
				Local: p.acme.ID, Remote: tenants.OrgID(tenants.NewID()), RemoteName: "far", Site: tenants.SiteID(tenants.NewID()),
				PublicKey: "key", Status: federation.StatusActive, CreatedAt: p.now,
			})
		}))
		_, err := p.service.DeleteOrganization(p.ctx(), p.root, p.acme.ID)
		wantProblem(t, err, problem.BadRequest) // still enabled
		p.must(p.service.DisableOrganization(p.ctx(), p.root, p.acme.ID))

		task, err := p.service.DeleteOrganization(p.ctx(), p.root, p.acme.ID)
		p.must(err)
		if got, err := p.service.Task(p.ctx(), p.root, tenants.SystemOrgID, task.ID); err != nil || got != task ||
			got.Name != "orgDelete" || got.Status != tenants.TaskSuccess || got.Owner.ID != string(p.acme.ID) {
			t.Errorf("the task is %+v, %v", got, err)
		}
		_, err = p.orgs.Organization(p.ctx(), p.acme.ID)
		wantProblem(t, err, problem.NotFound)
		_, err = p.service.UserOrg(p.ctx(), u.ID)
		wantProblem(t, err, problem.NotFound)
		p.must(db.OAuth().View(p.ctx(), func(r oauth.Reader) error {
			_, err := r.ServiceAccount(p.acme.ID, account.ID, p.now)
			wantProblem(t, err, problem.NotFound)
			return nil
		}))
		p.must(db.Federation().View(p.ctx(), func(r federation.Reader) error {
			left, err := r.OrgAssociations(p.acme.ID)
			if len(left) > 0 {
				t.Errorf("associations are left: %+v", left)
			}
			return err
		}))
		if row := p.recorded(journal.OrganizationDeleted)[0]; row.Org != string(tenants.SystemOrgID) || row.Subject.ID != string(p.acme.ID) {
			t.Errorf("recorded %+v", row)
		}

		again, err := p.service.CreateOrganization(p.ctx(), p.root, tenants.Organization{Name: "Acme"})
		p.must(err)
		if again.ID == p.acme.ID {
			t.Error("an identifier came back")
		}
		if users, _, err := p.service.Users(p.ctx(), again.ID, tenants.Query{Page: 1, PageSize: 10}); err != nil || len(users) > 0 {
			t.Errorf("the new organization has %+v, %v", users, err)
		}
		if _, total := p.listed(tenants.SystemOrgID, tenants.Query{}); total != 2 {
			t.Errorf("%d organizations, want 2", total)
		}
	})
}

func TestOrganizations_OneOfTwoDeletionsWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := newPeople(t, db)
		p.must(p.service.DisableOrganization(p.ctx(), p.root, p.acme.ID))
		errs := make([]error, 4)
		var wait sync.WaitGroup
		for i := range errs {
			wait.Go(func() { _, errs[i] = p.service.DeleteOrganization(p.ctx(), p.root, p.acme.ID) })
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				wantProblem(t, err, problem.NotFound)
			}
		}
		if _, tasks, err := p.service.Tasks(p.ctx(), tenants.SystemOrgID, tenants.Query{Page: 1, PageSize: 10}); won != 1 || tasks != 1 || err != nil {
			t.Errorf("%d deletions left %d tasks, %v", won, tasks, err)
		}
	})
}
