package deptest

// Patterns are import paths. An element may hold a * (path.Match), /... at the
// end also takes in everything below, and a leading ! takes packages out again.
// A pattern may name packages that do not exist yet.
//
// Each rule carries an import that it must catch, so that a misspelt pattern
// fails its test instead of guarding nothing.

// containment says where alone something may be imported, tests included.
type containment struct {
	what   []string
	in     []string
	reason string
	caught edge
}

// ban says what some packages must not reach, neither directly nor through
// other packages of ours. Their tests are free: they build the world around.
type ban struct {
	from   []string
	to     []string
	reason string
	caught edge
}

type edge struct{ from, to string }

var (
	// domains are the rules of the gateway, without their web faces.
	domains = []string{
		"causeway/tenants/...", "causeway/oauth/...", "causeway/federation/...", "causeway/services/...",
		"causeway/ratelimit/...", "causeway/internal/problem/...", "causeway/internal/journal/...",
		"!causeway/*/*http/...", "!causeway/*/*test",
	}
	// notTestSupport is all that goes into the binary: test support is known by
	// its name (sitetest, storetest).
	notTestSupport = []string{"causeway/...", "!causeway/*/*test", "!causeway/*/*/*test"}
	testSupport    = []string{"testing/...", "net/http/httptest", "causeway/*/*test", "causeway/*/*/*test"}
)

var containments = []containment{
	{
		what:   []string{"github.com/gin-gonic/...", "github.com/gin-contrib/..."},
		in:     []string{"causeway/gateway/...", "causeway/portal/...", "causeway/*/*http/...", "causeway/internal/httpapi/..."},
		reason: "gin stays at the rim: every rule has two faces (API and portal), and none should need a web server to test",
		caught: edge{"causeway/oauth", "github.com/gin-gonic/gin"},
	},
	{
		what:   []string{"gorm.io/...", "github.com/glebarez/sqlite"},
		in:     []string{"causeway/internal/store/..."},
		reason: "gorm stays in its cage: tenant data is reached only through store methods that take the organization first",
		caught: edge{"causeway/oauth/oauthhttp", "gorm.io/gorm"},
	},
	{
		what:   []string{"github.com/hashicorp/memberlist/..."},
		in:     []string{"causeway/federation/..."},
		reason: "gossip is a hint: only federation knows how little a member's word is worth",
		caught: edge{"causeway/gateway", "github.com/hashicorp/memberlist"},
	},
}

var bans = []ban{
	{
		from:   []string{"causeway/oauth/..."},
		to:     []string{"causeway/federation/...", "!causeway/federation/fanout"}, // pages of lists, which know no peers; httpapi writes them
		reason: "tokens work without peers: oauth declares the small interface it needs, and internal/site passes it in",
		caught: edge{"causeway/oauth/oauthhttp", "causeway/federation"},
	},
	{
		from:   []string{"causeway/federation/..."},
		to:     []string{"causeway/oauth/..."},
		reason: "peers need no token code: federation declares the small interface it needs, and internal/site passes it in",
		caught: edge{"causeway/federation", "causeway/oauth"},
	},
	{
		from: domains,
		to: []string{
			"causeway/gateway/...", "causeway/portal/...", "causeway/*/*http/...", "causeway/internal/site/...",
			"causeway/internal/store/...", "causeway/internal/httpapi/...", "causeway/internal/cli/...",
		},
		reason: "everything else is built on the domains: they declare the Store they need and know no web, no database, no process",
		caught: edge{"causeway/tenants", "causeway/internal/store"},
	},
	{
		from:   []string{"causeway/internal/problem/..."},
		to:     []string{"causeway/...", "!causeway/internal/problem/..."},
		reason: "the one error is at the bottom of every chain of imports",
		caught: edge{"causeway/internal/problem", "causeway/tenants"},
	},
	{
		from:   []string{"causeway/...", "!causeway/cmd/...", "!causeway/internal/cli/..."},
		to:     []string{"causeway/internal/cli/..."},
		reason: "the command line speaks the public API like any client: nothing of the gateway may lean on it",
		caught: edge{"causeway/internal/site", "causeway/internal/cli"},
	},
	{
		from:   notTestSupport,
		to:     testSupport,
		reason: "test support stays out of the binary: it panics, registers flags and trusts everybody",
		caught: edge{"causeway/internal/site", "causeway/internal/store/storetest"},
	},
}
