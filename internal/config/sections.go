package config

import (
	"net/netip"
	"time"

	"causeway/internal/secret"
)

// Allowed is the word for what may be done.
const Allowed = "allowed"

// Site is what this site is called.
type Site struct {
	// Name people and other sites see: letters, digits, dots and dashes. Empty
	// takes the host name.
	Name string `yaml:"name"`
}

// Public is the door of clients: API and portal over HTTPS.
type Public struct {
	// Address to listen on, host:port; an empty host means every interface.
	Listen string `yaml:"listen" default:":8443"`
	// Address clients use, https:// without a path. Every link in an answer
	// starts with it, never with what a request claims to be its host: clients
	// take identifiers out of links that start with https:// only.
	URL string `yaml:"url" required:"true"`
	// File with the certificate chain, PEM. Without certificate and key the
	// server makes a local CA and says where it is.
	Certificate string `yaml:"certificate"`
	// File with the certificate's private key, PEM.
	Key string `yaml:"key"`
	// File with the certificate of the authority that issued it, PEM, where it is
	// not one that everybody trusts: association data hands it to other sites. A local
	// CA is handed out without being named here.
	Authority string `yaml:"authority"`
	// Networks of the reverse proxies whose X-Forwarded-For is believed. Who
	// connects from anywhere else is taken to be the client. Everybody cannot
	// be a proxy: limits per source would mean nothing.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// Networks of the balancers that pass TCP through and say in a PROXY header
	// (version 1 or 2) who the client is. Each of their connections must begin
	// with one; anybody else's header is taken for a broken request.
	ProxyProtocol []netip.Prefix `yaml:"proxy_protocol"`
}

// Peer is the door of other sites: mutual TLS, passed through by any balancer.
type Peer struct {
	// Address to listen on, host:port.
	Listen string `yaml:"listen" default:":7443"`
	// Address other sites dial, host:port. Empty takes the host of public.url
	// and the port of listen.
	Advertise string `yaml:"advertise"`
}

// Gossip finds the other sites. Leave the section out for static mode: sites
// then know one another by their associations alone, which is also right for
// operators who will not share a key.
type Gossip struct {
	// Name of the federation; sites of another name are not heard.
	Federation string `yaml:"federation" required:"true"`
	// Address to listen on, host:port, TCP and UDP.
	Listen string `yaml:"listen" default:":7947"`
	// Address other sites see, host:port, if it is not the one listened on.
	Advertise string `yaml:"advertise"`
	// File with the key that all sites share, as causeway gossip keygen makes it.
	// There is no gossip without: a speaker in clear could name any address as any
	// site's. Up to four lines are keys while they change: the first encrypts, each
	// decrypts. SIGHUP reads the file again.
	KeyFile string `yaml:"key_file" required:"true"`
	// Sites to join through, host:port.
	Seeds []string `yaml:"seeds"`
	// How patient failure detection is: wan for sites far apart, lan for sites
	// side by side, local for sites of one machine. Requests never wait for either.
	Profile string `yaml:"profile" default:"wan" oneof:"wan lan local"`
	// Networks in which members' addresses must lie; none allows all. Who comes
	// from elsewhere is not heard, key or not.
	Networks []netip.Prefix `yaml:"networks"`
}

// Cells lets the cells of one site tell each other of changes at once, over a
// pool of their own. Leave the section out where there is one cell, or where the
// cells reach their PostgreSQL directly: it tells them as well. Behind a pooler
// such as PgBouncer it may not, and changes are found by polling.
type Cells struct {
	// Address to listen on, host:port, TCP and UDP.
	Listen string `yaml:"listen" default:":7946"`
	// Address other cells see, host:port, if it is not the one listened on.
	Advertise string `yaml:"advertise"`
	// File with the key that the cells of this site share, as in gossip.key_file,
	// and not the same key.
	KeyFile string `yaml:"key_file" required:"true"`
	// Cells to join through, host:port; a name may stand for several. Each cell
	// should name all: they find each other again by these after a partition.
	Seeds []string `yaml:"seeds"`
	// Networks in which cells' addresses must lie; none allows all.
	Networks []netip.Prefix `yaml:"networks"`
}

// Federation times the calls between sites.
type Federation struct {
	// Whether tenants may associate their own organizations, allowed or forbidden.
	// What is associated they may end either way.
	TenantAssociations string `yaml:"tenant_associations" default:"allowed" oneof:"allowed forbidden"`
	// Organizations that one tenant's organization may be associated with. Its
	// administrator names them, confirmed or not, and all of them are told to other
	// sites. The provider's own has one for each site at most.
	AssociationsPerOrg int `yaml:"associations_per_org" default:"1000" min:"1" max:"10000"`
	// Time to connect to a site before another of its addresses is tried.
	ConnectTimeout time.Duration `yaml:"connect_timeout" default:"2s" min:"100ms" max:"30s"`
	// Between two heartbeats to an associated site, a fifth more or less. Three that
	// fail make it UNREACHABLE.
	Heartbeat time.Duration `yaml:"heartbeat" default:"10s" min:"1s" max:"1m"`
	// Time for the head of a site's answer; its body may take longer.
	Timeout time.Duration `yaml:"timeout" default:"30s" min:"1s" max:"5m"`
	// Time for which a new root key of this site is published before it signs.
	// Other sites ask for it every five minutes: a site that was away for longer
	// than this learns of the new key from what the old one says about it.
	RootPublishAhead time.Duration `yaml:"root_publish_ahead" default:"24h" min:"25m" max:"720h"`
	// Networks in which other sites may be, such as 192.0.2.0/24. None, here or with
	// the association, allows the public addresses of a site and those of its
	// RestEndpoint's host: sites in private networks want their networks named. This
	// host, addresses on its own wire (link-local) and those at which clouds tell
	// secrets are refused unless a named network contains them.
	AllowedNetworks []netip.Prefix `yaml:"allowed_networks"`
	// Cells of this site that gossip with other sites, those that have run longest;
	// the others take over when one ends. The pool need not hold every cell of
	// every site.
	Speakers int `yaml:"speakers" default:"3" min:"1" max:"16"`
}

// Operations is the door of operators: metrics, health and profiles. It asks
// for no credentials and so must never be reachable from outside.
type Operations struct {
	// Address to listen on, host:port.
	Listen string `yaml:"listen" default:"127.0.0.1:9443"`
	// How long a cell that is told to stop goes on serving while /readyz and /lb-check
	// say that it stops: longer than a balancer takes to find out. 0 is for cells
	// without one.
	DrainDelay time.Duration `yaml:"drain_delay" default:"3s" min:"0s" max:"10m"`
	// How long requests under way, streams and WebSockets may take to finish after
	// that; what is left is cut. A supervisor must wait for both and 15s more before
	// it kills.
	DrainTimeout time.Duration `yaml:"drain_timeout" default:"10s" min:"1s" max:"1h"`
}

// Database is where a site keeps everything.
type Database struct {
	// sqlite:///path/to/file for one cell, or postgres://user@host/name for any
	// number. A secret if it holds a password: CAUSEWAY_DATABASE_URL_FILE reads
	// it from a file.
	URL secret.Text `yaml:"url" required:"true"`
	// A small database elsewhere, by a URL as above, which proves to a restore which
	// refresh tokens were neither renewed nor revoked after the backup; the same for
	// all cells. It is begun by causeway watermark begin, and from then on a token is
	// renewed only while it can be written to.
	Watermark secret.Text `yaml:"watermark"`
	// Connections a cell opens to PostgreSQL at most.
	Connections int `yaml:"connections" default:"16" min:"2" max:"500"`
}

// Journal times how cells follow one another's changes.
type Journal struct {
	// Time between looks at the journal when nothing wakes the cell. A
	// revocation must take effect everywhere within a second.
	Poll time.Duration `yaml:"poll" default:"250ms" min:"20ms" max:"1s"`
	// Time without the journal after which a cell refuses to serve from memory
	// what may have been revoked meanwhile. Past 60 s nobody could promise when
	// a revocation holds.
	StaleAfter time.Duration `yaml:"stale_after" default:"5s" min:"1s" max:"60s"`
	// Time between two looks for token events and refusals that can become part of
	// the journal's chain. They are two minutes old by then: an event with a lower
	// number may be written that much later.
	SealEvery time.Duration `yaml:"seal_every" default:"1m" min:"10s" max:"1h"`
}

// Passwords bounds what hashing people's passwords may cost.
type Passwords struct {
	// Hashes computed at once, 19 MiB and one processor each.
	Concurrent int `yaml:"concurrent" default:"4" min:"1" max:"64"`
	// Logins that may wait for one; more are refused with 503.
	Waiting int `yaml:"waiting" default:"64" min:"0" max:"1024"`
}

// Log is one line per request, on standard error.
type Log struct {
	// Least level that is written.
	Level string `yaml:"level" default:"info" oneof:"debug info warn error"`
	// Form of a line.
	Format string `yaml:"format" default:"text" oneof:"text json"`
}
