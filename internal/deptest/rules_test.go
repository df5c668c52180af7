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
	testSupport    = []string{"testing/...", "net/http/httptest", "github.com/chromedp/...", "causeway/*/*test", "causeway/*/*/*test"}
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
	{
		what:   []string{"go.opentelemetry.io/...", "!go.opentelemetry.io/proto/..."}, // the protocol, which a test's collector reads
		in:     []string{"causeway/internal/tracing"},
		reason: "what a span may say is one list of keys: whoever could add attributes of their own could send secrets and clients' words out of the site",
		caught: edge{"causeway/gateway", "go.opentelemetry.io/otel/trace"},
	},
	{
		what:   []string{"github.com/chromedp/..."},
		in:     []string{"causeway/internal/browsertest/...", "causeway/portal"}, // whose tests press keys by their names
		reason: "a browser is driven in one place, which knows how to wait for a page and what every page is judged by",
		caught: edge{"causeway/portal/sites", "github.com/chromedp/chromedp"},
	},
	{
		what:   []string{"github.com/google/licensecheck", "github.com/CycloneDX/...", "golang.org/x/mod/..."},
		in:     []string{"causeway/internal/tools/..."},
		reason: "what looks at dependencies is none of the gateway's",
		caught: edge{"causeway/internal/version", "golang.org/x/mod/semver"},
	},
	{
		what:   []string{"github.com/santhosh-tekuri/jsonschema/..."},
		in:     []string{"causeway/internal/openapihttp"}, // whose tests hold answers against the description
		reason: "what clients send is read by types and rules of ours; schemas describe and do not decide",
		caught: edge{"causeway/internal/httpapi", "github.com/santhosh-tekuri/jsonschema/v6"},
	},
	{
		what:   []string{"causeway/portal/*/...", "!causeway/portal/ui", "!causeway/portal/texts"},
		in:     []string{"causeway/portal", "causeway/internal/site"}, // which gives monitoring what it shows
		reason: "groups of pages do not know each other: what two of them need is a domain's rule or a part of portal/ui, and links between them are paths",
		caught: edge{"causeway/portal/apps", "causeway/portal/people"},
	},
	{
		what:   []string{"causeway/portal/..."},
		in:     []string{"causeway/portal/...", "causeway/internal/site/...", "causeway/gateway"}, // whose tests attack all that a site serves
		reason: "nothing is built on pages: a site serves them, and what else needs what one of them does asks the domain",
		caught: edge{"causeway/oauth/oauthhttp", "causeway/portal/ui"},
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
		from: []string{"causeway/portal/..."},
		to: []string{
			"causeway/gateway/...", "causeway/internal/site/...", "causeway/internal/store/...", "causeway/internal/cli/...",
			"causeway/*/*http/...", "!causeway/federation/federationhttp", // its documents are downloaded and brought on pages, too
		},
		reason: "pages call the rules that the API calls and are given them by internal/site: a page with a way of its own could show what the API hides",
		caught: edge{"causeway/portal/people", "causeway/internal/store"},
	},
	{
		from:   []string{"causeway/gateway/..."},
		to:     []string{"causeway/portal/..."},
		reason: "the gateway serves pages as routes with rights, whatever they show: it must decide who may ask without asking a page",
		caught: edge{"causeway/gateway", "causeway/portal"},
	},
	{
		from:   []string{"causeway/portal/ui/...", "causeway/portal/texts/..."},
		to:     []string{"causeway/oauth/...", "causeway/federation", "causeway/services/...", "causeway/portal", "causeway/portal/*", "!causeway/portal/ui", "!causeway/portal/texts"},
		reason: "the kit knows who looks and what they may, and nothing of what pages are about: only so is it the same for all of them",
		caught: edge{"causeway/portal/ui", "causeway/services"},
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
