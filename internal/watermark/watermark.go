package watermark

import (
	"math"
	"slices"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Rotation is a family's step to a generation.
type Rotation struct {
	Family     string
	Generation int64
}

// Revoked is the generation behind all others: nothing of the family goes on.
const Revoked = math.MaxInt64

// Change is the latest row of the journal by which something within a scope changed
// that families depend on.
type Change struct {
	Scope Scope
	Seq   int64
}

// Scope is whose families a change may concern: everybody's, those of an
// organization, or the one of a service account.
type Scope string

// Everything is the scope of what the provider changes for all.
const Everything Scope = ""

func ofOrg(org string) Scope              { return Scope(org) }
func ofAccount(org, account string) Scope { return Scope(org + "/" + account) }

// harmless are actions that take nothing from a service account. An action that is
// not here ends families, also one that a later version writes.
var harmless = []journal.Action{
	journal.OrganizationCreated, journal.OrganizationEnabled,
	journal.UserCreated, journal.UserUpdated, journal.UserUnlocked, journal.UserPasswordChanged, journal.UserDeleted, journal.UserTakenOver,
	journal.RoleCreated, journal.GlobalRoleCreated, journal.BundleCreated, journal.QuotaPolicyCreated, journal.CustomRoleCreated,
	journal.DeviceGranted, journal.DeviceDenied,
	journal.APITokenCreated, journal.APITokenUpdated, journal.APITokenDeleted, journal.SessionEnded,
	journal.SiteUpdated, journal.SiteAssociated, journal.SiteLinkUpdated, journal.SiteLinkStatus, journal.SiteLinkKey, journal.SiteLinkRemoved,
	journal.OrgAssociated, journal.OrgLinkUpdated, journal.OrgLinkStatus, journal.OrgLinkRemoved,
	journal.AppCreated, journal.AppUpdated, journal.AppSecretReplaced, journal.AppSecretRotated, journal.AppRotationEnded, journal.AppDeleted,
	journal.AppAdded, journal.AppRemoved,
	journal.DefinitionPut, journal.DefinitionDeleted, journal.InstanceCreated, journal.InstanceUpdated, journal.InstanceDeleted,
	journal.InstAccountCreated, journal.InstAccountEnded, journal.InstHookRetried,
	journal.KeyCreated, journal.KeyRetired,
	journal.WebhookCreated, journal.WebhookUpdated, journal.WebhookSecret, journal.WebhookTested, journal.WebhookRedelivered, journal.WebhookDeleted,
	journal.TokenEventsSealed, journal.TokenEventsPurged, journal.RefusalsSealed, journal.RefusalsPurged,
	journal.WatermarkBegan, journal.WatermarkEnded,
}

// ScopeOf is whose families e ends, if any.
func ScopeOf(e journal.Entry) (s Scope, ends bool) {
	switch {
	case slices.Contains(harmless, e.Action):
		return "", false
	case e.Subject.Kind == journal.KindAccount:
		return ofAccount(e.Org, e.Subject.ID), true
	case e.Subject.Kind == journal.KindOrganization:
		return ofOrg(e.Subject.ID), true
	case e.Org == string(tenants.SystemOrgID):
		return Everything, true
	}
	return ofOrg(e.Org), true
}

// Changes are those of entries of which the last has the sequence seq.
func Changes(entries []journal.Entry, seq int64) (list []Change) {
	for i, e := range entries {
		if s, ends := ScopeOf(e); ends {
			list = append(list, Change{Scope: s, Seq: seq - int64(len(entries)-1-i)})
		}
	}
	return list
}

// Marks are all that is kept.
type Marks struct {
	ID     string
	Former []string // ids before restores, which the marks cover as well
	// Rotated is to which generation families have gone on at least.
	Rotated map[string]int64
	Changed map[Scope]int64
}

// Covers reports whether the marks are of the watermark with this id, which the
// journal of a backup names.
func (m *Marks) Covers(id string) bool {
	return m != nil && id != "" && (id == m.ID || slices.Contains(m.Former, id))
}

// Family is one as a backup has it.
type Family struct {
	Org, Account, ID string
	Generation       int64
}

// Ended is why a family must not continue from a backup whose journal ends with seq;
// "" if nothing happened to it.
func (m *Marks) Ended(f Family, seq int64) string {
	switch {
	case m.Rotated[f.ID] == Revoked:
		return "revoked or replaced since"
	case m.Rotated[f.ID] > f.Generation:
		return "renewed since"
	case m.changed(ofAccount(f.Org, f.Account)) > seq:
		return "account changed since"
	case max(m.changed(ofOrg(f.Org)), m.changed(Everything)) > seq:
		return "roles or limits changed since"
	}
	return ""
}

func (m *Marks) changed(s Scope) int64 {
	if seq, ok := m.Changed[s]; ok {
		return seq
	}
	return math.MinInt64
}
