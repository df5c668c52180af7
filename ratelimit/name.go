package ratelimit

import (
	"math"
	"time"
)

// Name names a limit, in configuration, metrics and refusals.
type Name string

// The limits. UserCode, Login and TokenFailure count failures: see
// [Limiter.Take] for the first two.
const (
	// DeviceAuthorization protects the endpoint that starts a device grant:
	// anybody can call it and each call writes a row.
	DeviceAuthorization Name = "device_authorization"
	// UserCode counts wrong user codes. It bounds guessing, so it is strict.
	UserCode Name = "user_code"
	// Login counts wrong passwords.
	Login Name = "login"
	// TokenPoll bounds the polls of one device request. Spend it when the device
	// code has been recognized. It is not the client that is counted: client
	// identifiers are no secret, and a stranger who knows one can ask for a code and
	// poll that, but must not use up the polls of the application's own. How many
	// requests of a client are open at once is bounded elsewhere.
	TokenPoll Name = "token_poll"
	// TokenFailure counts credentials that the token endpoint did not accept, and
	// opaque tokens of sessions that the API did not know:
	// Spend it when the answer is no. The token endpoint asks nothing before: a
	// valid client's token call must not fail because of strangers. It has no
	// bucket wider than a network.
	TokenFailure Name = "token_failure"
	// TokenRefresh bounds the refreshes of one service account or API token: each
	// writes rows. Take it when the token has been recognized, so that strangers use
	// up nobody's. That may be when it was rotated, as long as who has reached the
	// limit is counted before: Next tells, and a refusal consumes nothing.
	TokenRefresh Name = "token_refresh"
	// Management bounds authenticated calls, per account and organization.
	Management Name = "management"
	// Crossing bounds what one organization has under way with one other site:
	// spend it where a request leaves, and where one arrives.
	Crossing Name = "crossing"
	// CrossingFailure counts requests of another site that were refused before
	// anybody was found here whom they speak for. Take it before anything is looked
	// up, and return it when somebody was found.
	CrossingFailure Name = "crossing_failure"
	// Introspection bounds what one associated site asks about tokens.
	Introspection Name = "introspection"
)

// Kind names one bucket of a limit: whose tokens are counted.
type Kind string

// The kinds. A bucket "at source" belongs to the pair, so that nobody empties
// it from somewhere else.
const (
	PerSource          Kind = "source"
	PerNetwork         Kind = "network"
	PerClientAtSource  Kind = "client_at_source"
	PerClient          Kind = "client"
	PerRequest         Kind = "request"
	PerAccountAtSource Kind = "account_at_source"
	PerAccount         Kind = "account"
	PerOrg             Kind = "org"
	PerOrgAtPeer       Kind = "org_at_peer"
	PerPeer            Kind = "peer"
	SiteWide           Kind = "site"
)

// shape is what a limit is, apart from its numbers.
type shape struct {
	name    Name
	detail  string // what a refused client reads
	needs   parts  // keys without which Take is a mistake of the caller
	may     parts  // keys it also understands
	told    Kind   // the caller's own bucket, the only one RateLimit headers speak of
	strict  bool   // buckets are windows that hold exactly
	knows   bool   // Key.Known means something here
	buckets []bucketShape
	ladder  []rung
}

// bucketShape is one bucket with its default.
type bucketShape struct {
	kind    Kind
	usual   Budget
	must    bool   // cannot be switched off
	ceiling Budget // cannot be looser than this, where set
	own     bool   // an organization may have its own, see [Limiter.SetOrgs]
}

// rung says that big must hold and regain at least times what small does, so
// that one who empties small has not emptied big for everybody else.
type rung struct {
	small, big Kind
	times      int
}

// shapes is the table of all limits. The order of buckets is the order in which
// their shards are locked; SiteWide comes last.
var shapes = []shape{
	{
		name:   DeviceAuthorization,
		detail: "There were too many device authorization requests. Wait before the next one.",
		needs:  partSource | partClient,
		may:    partOrg,
		told:   PerSource,
		buckets: []bucketShape{
			// A tool that authorizes twenty accounts in one run is not a flood.
			{kind: PerSource, usual: Budget{Tokens: 10, Per: time.Minute, Burst: 20}},
			{kind: PerNetwork, usual: Budget{Tokens: 40, Per: time.Minute, Burst: 60}},
			// A request lives for an hour; an application that restarts every
			// ten seconds still gets one each time.
			{kind: PerClientAtSource, usual: Budget{Tokens: 6, Per: time.Minute}},
			// Looser than the network's: a stranger who knows a client_id must
			// not stop the application from asking.
			{kind: PerClient, usual: Budget{Tokens: 80, Per: time.Minute, Burst: 120}},
			{kind: PerOrg, usual: Budget{Tokens: 240, Per: time.Minute, Burst: 120}, own: true},
			{kind: SiteWide, usual: Budget{Tokens: 50, Per: time.Second, Burst: 200}},
		},
		ladder: []rung{
			{PerClientAtSource, PerSource, 1}, {PerSource, PerNetwork, 2},
			{PerNetwork, PerClient, 2}, {PerNetwork, PerOrg, 2}, {PerNetwork, SiteWide, 2},
		},
	},
	{
		name:   UserCode,
		detail: "There were too many wrong user codes. Wait before the next try.",
		needs:  partAccount | partOrg,
		told:   PerAccount,
		strict: true,
		buckets: []bucketShape{
			// With eight-character codes these two keep the chance of guessing
			// one within its life negligible; they may only be made smaller.
			{kind: PerAccount, usual: Budget{Tokens: 10, Per: 10 * time.Minute}, must: true, own: true,
				ceiling: Budget{Tokens: 10, Per: 10 * time.Minute}},
			{kind: PerOrg, usual: Budget{Tokens: 60, Per: time.Hour}, must: true, own: true,
				ceiling: Budget{Tokens: 60, Per: time.Hour}},
		},
	},
	{
		name:   Login,
		detail: "There were too many failed logins. Wait before the next try.",
		needs:  partSource | partAccount,
		told:   PerSource,
		knows:  true,
		buckets: []bucketShape{
			{kind: PerSource, usual: Budget{Tokens: 60, Per: 10 * time.Minute}},
			{kind: PerNetwork, usual: Budget{Tokens: 120, Per: 10 * time.Minute}},
			{kind: PerAccountAtSource, usual: Budget{Tokens: 10, Per: 10 * time.Minute, Burst: 20}, must: true},
			// Bounds guessing from many networks; twice what one network can
			// spend, so that no single one locks the owner out.
			{kind: PerAccount, usual: Budget{Tokens: 240, Per: 10 * time.Minute}, must: true},
			// Each try costs a memory-hard hash, whether right or wrong.
			{kind: SiteWide, usual: Budget{Tokens: 20, Per: time.Second, Burst: 300}},
		},
		ladder: []rung{
			{PerAccountAtSource, PerSource, 1}, {PerSource, PerNetwork, 2},
			{PerNetwork, PerAccount, 2}, {PerNetwork, SiteWide, 2},
		},
	},
	{
		name:   TokenPoll,
		detail: "The token endpoint was polled too often. Wait before the next request.",
		needs:  partRequest,
		told:   PerRequest,
		buckets: []bucketShape{
			// slow_down already spaces the polls of one grant by a minute.
			{kind: PerRequest, usual: Budget{Tokens: 60, Per: time.Minute, Burst: 30}},
		},
	},
	{
		name:   TokenFailure,
		detail: "There were too many token requests with invalid credentials. Wait before the next one.",
		needs:  partSource,
		told:   PerSource,
		buckets: []bucketShape{
			{kind: PerSource, usual: Budget{Tokens: 30, Per: time.Minute, Burst: 60}},
			{kind: PerNetwork, usual: Budget{Tokens: 120, Per: time.Minute, Burst: 240}},
		},
		ladder: []rung{{PerSource, PerNetwork, 2}},
	},
	{
		name:   TokenRefresh,
		detail: "The token was refreshed too often. Use the access token until it expires.",
		needs:  partAccount | partOrg,
		told:   PerAccount,
		buckets: []bucketShape{
			// An access token lives for hours. Two hundred callers that share a
			// token and refresh it at the same moment still get through.
			{kind: PerAccount, usual: Budget{Tokens: 120, Per: time.Minute, Burst: 300}, own: true},
			{kind: PerOrg, usual: Budget{Tokens: 50, Per: time.Second, Burst: 3000}, own: true},
		},
		ladder: []rung{{PerAccount, PerOrg, 2}},
	},
	{
		name:   Management,
		detail: "There were too many requests. Wait before the next one.",
		needs:  partAccount | partOrg,
		told:   PerAccount,
		buckets: []bucketShape{
			// A provisioning tool with ten workers on a fast network stays
			// below this; a loop without a pause does not.
			{kind: PerAccount, usual: Budget{Tokens: 300, Per: time.Second, Burst: 3000}, own: true},
			{kind: PerOrg, usual: Budget{Tokens: 1000, Per: time.Second, Burst: 6000}, own: true},
			{kind: SiteWide}, // off: organizations are kept apart by their own
		},
		ladder: []rung{{PerAccount, PerOrg, 2}, {PerOrg, SiteWide, 2}},
	},
	{
		name:   Crossing,
		detail: "There were too many requests to or from the other site. Wait before the next one.",
		needs:  partOrg | partPeer,
		told:   PerOrgAtPeer,
		buckets: []bucketShape{
			// Four times what one account may call at home: instances are behind it,
			// too, and lists that are read at every site.
			{kind: PerOrgAtPeer, usual: Budget{Tokens: 1200, Per: time.Second, Burst: 6000}},
			{kind: PerPeer, usual: Budget{Tokens: 5000, Per: time.Second, Burst: 25_000}},
		},
		ladder: []rung{{PerOrgAtPeer, PerPeer, 2}},
	},
	{
		name:   CrossingFailure,
		detail: "There were too many refused requests from the other site. Wait before the next one.",
		needs:  partOrg | partPeer,
		told:   PerOrgAtPeer,
		buckets: []bucketShape{
			// By the organization there, or a tenant's loop at an honest site would shut
			// out all others of that site.
			{kind: PerOrgAtPeer, usual: Budget{Tokens: 50, Per: time.Second, Burst: 500}},
			{kind: PerPeer, usual: Budget{Tokens: 200, Per: time.Second, Burst: 2000}},
		},
		ladder: []rung{{PerOrgAtPeer, PerPeer, 2}},
	},
	{
		name:   Introspection,
		detail: "There were too many questions about tokens. Wait before the next one.",
		needs:  partPeer,
		told:   PerPeer,
		buckets: []bucketShape{
			// One question for each token and half a minute: 15,000 clients at work.
			{kind: PerPeer, usual: Budget{Tokens: 500, Per: time.Second, Burst: 5000}},
		},
	},
}

// maxTables is the most keyed buckets that any limit has; a test counts them.
const maxTables = 5

// never is later than any instant the limiter meets.
const never = math.MaxInt64
