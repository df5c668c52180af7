package oauth

import (
	"context"
	"time"

	"causeway/internal/journal"
	"causeway/tenants"
)

// Digest is the keyed digest of a code or token. Secrets themselves are never
// stored, and without the key a copy of the database cannot confirm a guess.
type Digest []byte

// DeviceState is where a device request stands. Expiry is not a state: it is
// judged from ExpiresAt by whoever reads.
type DeviceState string

const (
	DevicePending  DeviceState = "pending"
	DeviceGranted  DeviceState = "granted"
	DeviceDenied   DeviceState = "denied"
	DeviceRedeemed DeviceState = "redeemed"
	// DeviceDead is a request closed by a redemption of another one, by
	// revocation, or pushed out by the cap on outstanding requests.
	DeviceDead DeviceState = "dead"
)

// DeviceRequest is one run of the device grant (RFC 8628): a device code held
// by the app and a user code typed by an administrator.
type DeviceRequest struct {
	ID         string
	Org        tenants.OrgID
	Account    ClientID
	DeviceCode Digest
	UserCode   Digest
	State      DeviceState
	CreatedAt  time.Time
	ExpiresAt  time.Time
	Interval   time.Duration // what the app must wait between polls; grows by slow_down
	LastPoll   time.Time     // zero before the first poll
	Source     string        // who asked: limiter key of the address
	Address    string        // shown to the administrator
	UserAgent  string
}

// Family is a chain of refresh tokens, each the successor of the one before.
// An account has at most one live family.
type Family struct {
	ID         string
	Org        tenants.OrgID
	Account    ClientID
	Generation int    // of Current; the first token is generation 0
	Current    Digest // the only token that rotates
	CreatedAt  time.Time
	RevokedAt  time.Time // zero while live
}

// Presented is what the store knows of a refresh token somebody shows.
type Presented struct {
	Family
	// Holder is the account that the family is of, without its status.
	Holder ServiceAccount
	// Generation of the presented token itself. It is the current one when it
	// equals Family.Generation, and the one before when the successor has not
	// been presented yet.
	Shown int
	// UsedAt and UsedFrom tell when and from where it was first presented;
	// zero for the current token.
	UsedAt   time.Time
	UsedFrom string
	Retries  int // how often its successor was handed out again
	// WentOnFrom is from where its successor was first presented, empty if it was
	// not.
	WentOnFrom string
}

// Rotation moves the family of a token one generation on and opens a session of
// its account as that is at the time: nothing has to be read before.
type Rotation struct {
	Org    tenants.OrgID
	Client ClientID // whom the token must be of; empty: anybody in Org
	// Quota is the policy that the account must have, and Pin what the session
	// keeps of it, see tenants.PinQuota.
	Quota    tenants.QuotaPolicyID
	Pin      string
	MaxAge   time.Duration // the family must be younger, and the session ends then; zero: of any age
	From     Digest        // must be the current token
	To       Digest
	At       time.Time
	Source   string
	Session  tenants.SessionID
	Lifetime time.Duration // of the session
}

// TokenUse opens a session of the owner of an API token, as a [Rotation] does of an
// account.
type TokenUse struct {
	Org      tenants.OrgID
	Client   ClientID // the token's id; empty: any in Org
	Quota    tenants.QuotaPolicyID
	Pin      string
	Token    Digest
	At       time.Time
	Source   string
	Session  tenants.SessionID
	Lifetime time.Duration // of the session, which ends with the token
}

// Session stands behind an access token: the token's jti is the session's id.
type Session struct {
	ID         tenants.SessionID
	Org        tenants.OrgID
	Kind       tenants.PrincipalKind
	Principal  string // user id or client id
	Name       string
	SoftwareID string // as it was when the session was issued (VCD-89)
	// Role of an account is as it was when the session was issued (VCD-89); a
	// person's is for the user to say.
	Role      tenants.RoleID
	Quota     string // as it was when the session was issued (VCD-89); see tenants.PinQuota
	Family    string // of refresh tokens, or the API token; empty for people
	Legacy    Digest // of the opaque token, where a login gave one out
	CreatedAt time.Time
	ExpiresAt time.Time
	LastUsed  time.Time
	EndedAt   time.Time // zero while live
}

// Live selects sessions that are not over: neither ended nor expired at Now, and
// used after UsedAfter. With a Principal only the sessions of that one are meant.
type Live struct {
	Now, UsedAfter time.Time
	Kind           tenants.PrincipalKind
	Principal      string
}

// Event is one token event. It is written with the
// statement that causes it and stays outside the journal's locked head.
type Event struct {
	At      time.Time
	Org     tenants.OrgID
	Account ClientID
	Kind    string // login, requested, issued, refreshed or retried
	Source  string
	Detail  string
}

// Store keeps what this package owns; see tenants.Store for the meaning of View
// and InTx.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	InTx(ctx context.Context, f func(Tx) error) error

	// RefreshToken is [Reader.RefreshToken] on its own: calls at the same time
	// share a statement.
	RefreshToken(ctx context.Context, token Digest) (Presented, error)

	// Rotate replaces From by To, remembers From as used, opens the session and
	// notes the event, in one atomic step. It reports false, and changes
	// nothing, when From is not the current token of a live family as r wants it,
	// or the organization is disabled. Of any number of concurrent calls exactly one
	// reports true.
	Rotate(ctx context.Context, r Rotation) (Session, bool, error)

	// UseAPIToken opens a session of the token's owner and notes the event, in one
	// atomic step. It reports false, and changes nothing, unless the token, the
	// owner and the organization are as u wants them and may be used now, or when
	// somebody holds one of them: then a transaction says how it is.
	UseAPIToken(ctx context.Context, u TokenUse) (Session, bool, error)

	// Touch notes when sessions were last used.
	Touch(ctx context.Context, used map[tenants.SessionID]time.Time) error
}

// Reader reads. Absence is problem.NotFound. now decides what has expired.
type Reader interface {
	tenants.Ground
	ServiceAccount(org tenants.OrgID, id ClientID, now time.Time) (ServiceAccount, error)
	ServiceAccountByName(org tenants.OrgID, name string, now time.Time) (ServiceAccount, error)
	// RoleByName reads a role of an organization, see tenants.RoleReader.
	RoleByName(org tenants.OrgID, name string) (tenants.Role, error)
	// QuotaPolicy reads a policy, see tenants.QuotaReader.
	tenants.QuotaSource
	// ServiceAccounts returns a page and the number of rows on all pages, by id,
	// name, software_id, software_version, uri, role_id, role_name, created_at
	// (microseconds) and status.
	ServiceAccounts(org tenants.OrgID, q tenants.Query, now time.Time) ([]ServiceAccount, int, error)
	// AccountOrg tells which organization owns an account: providers reach any
	// account by its id alone. It gives away nothing else.
	AccountOrg(id ClientID) (tenants.OrgID, error)

	// DeviceByCode finds a request in any state by its device code.
	DeviceByCode(org tenants.OrgID, code Digest) (DeviceRequest, error)
	// DeviceByUserCode finds an unexpired pending or granted request.
	DeviceByUserCode(org tenants.OrgID, code Digest, now time.Time) (DeviceRequest, error)
	// OpenDevices lists an account's unexpired pending or granted requests,
	// oldest first.
	OpenDevices(org tenants.OrgID, account ClientID, now time.Time) ([]DeviceRequest, error)

	// RefreshToken finds a token of any generation by its digest: the digest is
	// the only key the holder gives us, the organization comes with the answer.
	RefreshToken(token Digest) (Presented, error)

	// APIToken reads a user's token, APITokens a page of them by id, name, type,
	// owner_id, owner_name, created_at and expires_at (microseconds).
	APIToken(org tenants.OrgID, id ClientID) (APIToken, error)
	APITokens(org tenants.OrgID, whose Whose, q tenants.Query) ([]APIToken, int, error)
	// APITokenByDigest finds a user's token by its refresh token, see RefreshToken.
	APITokenByDigest(token Digest) (APIToken, error)

	// Session finds a session by the id inside a verified token, SessionByLegacy
	// by an opaque token: the holder gives us nothing else, and the organization
	// comes with the answer.
	Session(id tenants.SessionID) (Session, error)
	SessionByLegacy(token Digest) (Session, error)
	// Sessions lists live sessions by id, kind, principal, name, role_id and
	// created_at, the newest first. A person's role is the one they have now.
	Sessions(org tenants.OrgID, live Live, q tenants.Query) ([]Session, int, error)
	// SigningKeys lists all keys of all purposes, the retired ones too.
	SigningKeys() ([]SigningKey, error)
}

// Tx reads and writes in one transaction.
type Tx interface {
	Reader

	// HoldOrganization keeps an organization from being disabled or deleted until
	// the end of the transaction. It is problem.NotFound unless it is enabled. Who
	// disables one holds it before its sessions; who ends some and opens another
	// does so, too.
	HoldOrganization(org tenants.OrgID) error
	// LockServiceAccount holds the account's row until the end of the
	// transaction: redemption, revocation and deletion of one account happen one
	// after the other, so that no family can slip past a revocation.
	LockServiceAccount(org tenants.OrgID, id ClientID) error
	CreateServiceAccount(ServiceAccount) error
	// UpdateServiceAccount replaces software id and version, URI and role.
	UpdateServiceAccount(ServiceAccount) error
	// DeleteServiceAccount removes the account with its requests and families;
	// its sessions are ended, not removed.
	DeleteServiceAccount(org tenants.OrgID, id ClientID, now time.Time) error

	CreateDevice(DeviceRequest) error
	// LockDevice finds a request by device code and holds it until the end of
	// the transaction.
	LockDevice(org tenants.OrgID, code Digest) (DeviceRequest, error)
	// SetPolled notes a poll and the interval the app must keep from now on.
	SetPolled(org tenants.OrgID, id string, at time.Time, interval time.Duration) error
	// MoveDevice changes the state of a request that is in state from and not
	// expired. False means it was not.
	MoveDevice(org tenants.OrgID, id string, from, to DeviceState, now time.Time) (bool, error)
	// CloseDevices marks an account's pending and granted requests dead, except
	// the one named.
	CloseDevices(org tenants.OrgID, account ClientID, except string) error

	CreateFamily(Family) error
	// RevokeFamilies revokes the live families of an account and ends their
	// sessions, those of a refresh that runs at the same time included.
	RevokeFamilies(org tenants.OrgID, account ClientID, now time.Time) error
	// CountRetry holds the family and, if it counts, notes that a used token's successor was handed out again. False
	// means the successor has been presented meanwhile or the family is revoked.
	CountRetry(org tenants.OrgID, family string, used Digest, counts bool) (bool, error)

	// CreateAPIToken stores a token that was not fetched yet. It is problem.Conflict
	// when the owner has most of them already, and problem.NotFound when the owner or
	// the organization is gone or disabled.
	CreateAPIToken(t APIToken, most int) error
	RenameAPIToken(org tenants.OrgID, id ClientID, name string) error
	// FetchAPIToken gives a token its refresh token. False means it has one: of any
	// number of calls exactly one reports true. It is problem.NotFound when the
	// token is gone, or its owner or the organization disabled, and holds them all.
	FetchAPIToken(t APIToken, token Digest) (bool, error)
	// DeleteAPIToken removes a token and ends the sessions that it opened.
	DeleteAPIToken(t APIToken, now time.Time) error

	// CreateSession is problem.NotFound unless the organization is enabled and
	// what opens the session lives: the family, the user, or the user and the API
	// token.
	CreateSession(Session) error
	EndSession(org tenants.OrgID, id tenants.SessionID, now time.Time) error
	EndSessionsOf(org tenants.OrgID, kind tenants.PrincipalKind, principal string, now time.Time) error

	// LockSigningKeys keeps others from changing keys until the end of the
	// transaction: cells that find at once that a key needs a successor make one.
	LockSigningKeys() error
	CreateSigningKey(SigningKey) error
	// EraseSigningKey drops the private part of a key that signs no more.
	EraseSigningKey(id string) error
	// RetireSigningKey ends a key and drops its private part. False means that it
	// was retired before.
	RetireSigningKey(id string, now time.Time) (bool, error)
	Note(Event) error
	Record(journal.Entry) error
}
