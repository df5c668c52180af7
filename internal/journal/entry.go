package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Action says what was done, as <subject>.<past participle>.
type Action string

// The actions of this version. Followers switch on them; the audit trail shows
// them as they are.
const (
	OrganizationCreated  Action = "organization.created"
	OrganizationUpdated  Action = "organization.updated"
	OrganizationEnabled  Action = "organization.enabled"
	OrganizationDisabled Action = "organization.disabled"
	OrganizationDeleted  Action = "organization.deleted"
	OrganizationLimited  Action = "organization.limited"
	UserCreated          Action = "user.created"
	UserUpdated          Action = "user.updated"
	UserUnlocked         Action = "user.unlocked"
	UserPasswordChanged  Action = "user.passwordChanged"
	UserDeleted          Action = "user.deleted"
	UserTakenOver        Action = "user.ownershipTaken"
	RoleCreated          Action = "role.created"
	RoleUpdated          Action = "role.updated"
	RoleDeleted          Action = "role.deleted"
	GlobalRoleCreated    Action = "globalRole.created"
	GlobalRoleUpdated    Action = "globalRole.updated"
	GlobalRolePublished  Action = "globalRole.published"
	GlobalRoleDeleted    Action = "globalRole.deleted"
	BundleCreated        Action = "rightsBundle.created"
	BundleUpdated        Action = "rightsBundle.updated"
	BundlePublished      Action = "rightsBundle.published"
	BundleDeleted        Action = "rightsBundle.deleted"
	QuotaPolicyCreated   Action = "quotaPolicy.created"
	QuotaPolicyUpdated   Action = "quotaPolicy.updated"
	QuotaPolicyAssigned  Action = "quotaPolicy.assigned"
	QuotaPolicyDeleted   Action = "quotaPolicy.deleted"
	AccountCreated       Action = "serviceAccount.created"
	AccountUpdated       Action = "serviceAccount.updated"
	AccountRevoked       Action = "serviceAccount.revoked"
	AccountDeleted       Action = "serviceAccount.deleted"
	AccountActivated     Action = "serviceAccount.activated"
	AccountTakenOver     Action = "serviceAccount.ownershipTaken"
	DeviceGranted        Action = "deviceRequest.granted"
	DeviceDenied         Action = "deviceRequest.denied"
	FamilyReplayed       Action = "tokenFamily.replayed"
	FamilyExpired        Action = "tokenFamily.expired"
	APITokenCreated      Action = "apiToken.created"
	APITokenUpdated      Action = "apiToken.updated"
	APITokenDeleted      Action = "apiToken.deleted"
	SessionEnded         Action = "session.ended"
	SiteUpdated          Action = "site.updated"
	SiteRestored         Action = "site.restored"
	WatermarkBegan       Action = "watermark.began"
	WatermarkEnded       Action = "watermark.ended"
	SiteAssociated       Action = "siteAssociation.created"
	SiteLinkUpdated      Action = "siteAssociation.updated"
	SiteLinkStatus       Action = "siteAssociation.status"
	SiteLinkKey          Action = "siteAssociation.key"
	SiteLinkRemoved      Action = "siteAssociation.deleted"
	OrgAssociated        Action = "orgAssociation.created"
	OrgLinkUpdated       Action = "orgAssociation.updated"
	OrgLinkStatus        Action = "orgAssociation.status"
	OrgLinkRemoved       Action = "orgAssociation.deleted"
	AppCreated           Action = "app.created"
	AppUpdated           Action = "app.updated"
	AppSecretReplaced    Action = "app.secretReplaced"
	AppSecretRotated     Action = "app.secretRotated"
	AppRotationEnded     Action = "app.secretRotationEnded"
	AppDeleted           Action = "app.deleted"
	AppAdded             Action = "app.added"
	AppRemoved           Action = "app.removed"
	RolesGranted         Action = "roles.granted"
	CustomRoleCreated    Action = "customRole.created"
	CustomRoleUpdated    Action = "customRole.updated"
	CustomRoleDeleted    Action = "customRole.deleted"
	DefinitionPut        Action = "serviceDefinition.updated"
	DefinitionDeleted    Action = "serviceDefinition.deleted"
	InstanceCreated      Action = "serviceInstance.created"
	InstanceUpdated      Action = "serviceInstance.updated"
	InstanceDeleted      Action = "serviceInstance.deleted"
	InstAccountCreated   Action = "instanceAccount.created"
	InstAccountEnded     Action = "instanceAccount.ended"
	InstHookRetried      Action = "instanceAccount.hookRetried"
	KeyCreated           Action = "key.created"
	KeyRetired           Action = "key.retired"
	WebhookCreated       Action = "webhook.created"
	WebhookUpdated       Action = "webhook.updated"
	WebhookSecret        Action = "webhook.secretReplaced"
	WebhookTested        Action = "webhook.tested"
	WebhookRedelivered   Action = "webhook.redelivered"
	WebhookDeleted       Action = "webhook.deleted"
)

// Kinds of subject.
const (
	KindOrganization = "organization"
	// KindOrgAssociation names the remote organization; the entry's Org is the
	// local one.
	KindOrgAssociation = "orgAssociation"
	KindUser           = "user"
	KindRole           = "role"
	KindGlobalRole     = "globalRole"
	KindRightsBundle   = "rightsBundle"
	KindQuotaPolicy    = "quotaPolicy"
	KindAccount        = "serviceAccount"
	KindAPIToken       = "token"
	KindSession        = "session"
	KindSite           = "site"
	KindWatermark      = "watermark"
	KindKey            = "key"
	// KindApp names an app by its client id; the entry's Org is the owner's or the one
	// that added it.
	KindApp             = "app"
	KindCustomRole      = "customRole"
	KindDefinition      = "serviceDefinition"
	KindServiceInstance = "serviceInstance"
	KindInstanceAccount = "instanceAccount"
	KindWebhook         = "webhook"
)

// DetailFollows is in the first entry after a restore: the row of the journal that
// it follows. Its own number is far behind that, so that whoever knew rows that are
// lost takes none of the new ones for them.
const DetailFollows = "follows"

// Actor is who caused a change. Kind is user, serviceAccount, apiToken (the
// user by means of one), app, anonymous, operator (whoever runs a command on the
// site's machine) or system (the gateway itself).
type Actor struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	Org  string `json:"org,omitempty"`
}

// KindOperator is the kind of [Actor] who has the machine and the master key.
const KindOperator = "operator"

// System is the gateway acting on its own account.
var System = Actor{Kind: "system", Name: "causeway"}

// Subject is what was changed.
type Subject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Entry is one change before it has a place in the chain. Org is the
// organization whose audit trail shows it. Detail never holds a secret.
type Entry struct {
	At        time.Time         `json:"at"`
	Org       string            `json:"org"`
	Actor     Actor             `json:"actor"`
	Action    Action            `json:"action"`
	Subject   Subject           `json:"subject"`
	RequestID string            `json:"requestId,omitempty"`
	Source    string            `json:"source,omitempty"`
	Detail    map[string]string `json:"detail,omitempty"`
}

// Row is an Entry in the chain. Seq counts from 1 without gaps; Hash covers the
// entry, Seq and the previous row's hash.
type Row struct {
	Seq int64
	Entry
	Prev []byte
	Hash []byte
}

// Chain places e after the row with sequence seq-1 and hash prev. The entry's
// time is cut to microseconds, the precision every database keeps.
func Chain(seq int64, prev []byte, e Entry) (Row, error) {
	e.At = e.At.UTC().Truncate(time.Microsecond)
	body, err := json.Marshal(e)
	if err != nil {
		return Row{}, err
	}
	return Row{Seq: seq, Entry: e, Prev: prev, Hash: rowHash(seq, prev, body)}, nil
}

const hashSize = sha256.Size

// rowHash is that of a row whose entry is body.
func rowHash(seq int64, prev, body []byte) []byte {
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, seq)
	h.Write(prev)
	h.Write(body)
	return h.Sum(nil)
}
