package config_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"causeway/internal/config"
)

var siem = config.Syslog{Name: "siem", Address: "siem.example.com:6514", Transport: "tls", Format: "json"}

// valid is a configuration that a test then spoils.
func valid() *config.Config {
	c := config.Defaults()
	c.Site.Name = "west"
	c.Public.URL = "https://west.example.com"
	c.Database.URL = "postgres://causeway@db/causeway"
	c.Gossip = &config.Gossip{Federation: "causeway", Listen: ":7947", KeyFile: "/k", Profile: "wan"}
	c.Services = []config.Service{service("sample", "/sample")}
	return c
}

func service(name, prefix string) config.Service {
	return config.Service{
		Name: name, Prefix: prefix, Upstream: "http://127.0.0.1:9000",
		Routes: []config.ServiceRoute{{Method: "GET", Path: prefix + "/x", Right: "r"}},
	}
}

// masterKey is 32 bytes.
const masterKey = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

// tracing is a section that is valid until spoil has had it.
func tracing(spoil func(*config.Tracing)) func(*config.Config) {
	return func(c *config.Config) {
		c.Tracing = &config.Tracing{Endpoint: "https://collector.example.com:4318", Ratio: 0.01}
		if spoil != nil {
			spoil(c.Tracing)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := valid().Validate(); err != nil {
		t.Fatalf("the example is not valid: %v", err)
	}
	type c = config.Config
	for _, tt := range []struct {
		want  string // key and the beginning of the message; empty if valid
		spoil func(*c)
	}{
		{"site.name: must be", func(c *c) { c.Site.Name = "a b" }},
		{"site.name: must be", func(c *c) { c.Site.Name = "" }},

		{"", tracing(nil)},
		{"", tracing(func(t *config.Tracing) { t.Endpoint = "http://[::1]:4318/otlp"; t.HeadersFile = "/h" })},
		{"", tracing(func(t *config.Tracing) { t.Endpoint = "http://collector:4318" })},
		{"", tracing(func(t *config.Tracing) { t.Ratio = 1; t.Attributes = []string{"deployment.environment.name=a = b"} })},
		{"tracing.endpoint: is required", tracing(func(t *config.Tracing) { t.Endpoint = "" })},
		{"tracing.endpoint: must be http", tracing(func(t *config.Tracing) { t.Endpoint = "https://key@collector" })},
		{"tracing.endpoint: must be http", tracing(func(t *config.Tracing) { t.Endpoint = "https://collector?key=1" })},
		{"tracing.endpoint: must be http", tracing(func(t *config.Tracing) { t.Endpoint = "https://collector#x" })},
		{"tracing.endpoint: must be http", tracing(func(t *config.Tracing) { t.Endpoint = "https://collector/v1/" })},
		{"tracing.endpoint: must start with http", tracing(func(t *config.Tracing) { t.Endpoint = "grpc://collector" })},
		{"tracing.endpoint: must start with http", tracing(func(t *config.Tracing) { t.Endpoint = "collector:4318" })},
		{"tracing.endpoint: must be https:// with", tracing(func(t *config.Tracing) { t.Endpoint = "https:///v1/traces" })},
		{"tracing.headers_file: would be sent in clear", tracing(func(t *config.Tracing) { t.Endpoint = "http://collector:4318"; t.HeadersFile = "/h" })},
		{"tracing.authority: vouches for nobody", tracing(func(t *config.Tracing) { t.Endpoint = "http://localhost:4318"; t.Authority = "/ca" })},
		{"tracing.ratio: must be between", tracing(func(t *config.Tracing) { t.Ratio = 1.1 })},
		{"tracing.ratio: must be between", tracing(func(t *config.Tracing) { t.Ratio = -0.1 })},
		{"tracing.accept_from[0]: would let everybody", tracing(func(t *config.Tracing) { t.AcceptFrom = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} })},
		{"tracing.attributes[0]: must be a name", tracing(func(t *config.Tracing) { t.Attributes = []string{"production"} })},
		{"tracing.attributes[0]: must be a name", tracing(func(t *config.Tracing) { t.Attributes = []string{"a=\n"} })},
		{"tracing.attributes[0]: is what the site", tracing(func(t *config.Tracing) { t.Attributes = []string{"service.name=x"} })},
		{"tracing.attributes[1]: is there twice", tracing(func(t *config.Tracing) { t.Attributes = []string{"a=1", "a=2"} })},

		{"public.url: is required", func(c *c) { c.Public.URL = "" }},
		{"public.url: must start with https://", func(c *c) { c.Public.URL = "http://west.example.com" }},
		{"public.url: must start with https://", func(c *c) { c.Public.URL = "west.example.com" }},
		{"public.url: must start with https://", func(c *c) { c.Public.URL = "HTTPS://west.example.com" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://west.example.com/" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://west.example.com/api" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://west.example.com?x" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://west.example.com#x" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://u@west.example.com" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://a b" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://west.example.com:" }},
		{"public.url: must be https:// with", func(c *c) { c.Public.URL = "https://west.example.com:65536" }},
		{"", func(c *c) { c.Public.URL = "https://west.example.com:8443" }},
		{"", func(c *c) { c.Public.URL = "https://[2001:db8::1]:8443" }},
		{"public.key: is required", func(c *c) { c.Public.Certificate = "/c" }},
		{"public.certificate: is required", func(c *c) { c.Public.Key = "/k" }},
		{"public.trusted_proxies[0]: would let everybody", func(c *c) { c.Public.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("::/0")} }},
		{"public.proxy_protocol[0]: would let everybody", func(c *c) { c.Public.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }},
		{"public.trusted_proxies[0]: has bits beyond its mask; write 10.0.0.0/8", func(c *c) { c.Public.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")} }},
		{"public.trusted_proxies[0]: is not a network", func(c *c) { c.Public.TrustedProxies = make([]netip.Prefix, 1) }},

		{"public.listen: must be an address", func(c *c) { c.Public.Listen = "" }},
		{"public.listen: must be an address", func(c *c) { c.Public.Listen = "8443" }},
		{"public.listen: must be an address", func(c *c) { c.Public.Listen = ":https" }},
		{"public.listen: must be an address", func(c *c) { c.Public.Listen = ":65536" }},
		{"public.listen: must be an address", func(c *c) { c.Public.Listen = "a b:1" }},
		{"peer.listen: is the address of public.listen too", func(c *c) { c.Peer.Listen = ":8443" }},
		{"operations.listen: is the address of public.listen too", func(c *c) { c.Operations.Listen = "127.0.0.1:08443" }},
		{"", func(c *c) { c.Public.Listen, c.Operations.Listen = "192.0.2.1:443", "127.0.0.1:443" }},
		{"", func(c *c) { c.Public.Listen, c.Peer.Listen = ":0", ":0" }},
		{"peer.advertise: must be an address others", func(c *c) { c.Peer.Advertise = ":7443" }},
		{"peer.advertise: must be an address others", func(c *c) { c.Peer.Advertise = "0.0.0.0:7443" }},
		{"peer.advertise: must be an address others", func(c *c) { c.Peer.Advertise = "west:0" }},
		{"gossip.seeds[1]: must be an address others", func(c *c) { c.Gossip.Seeds = []string{"east:7947", "east"} }},
		{"federation.allowed_networks[0]: would let another site send us to this host", func(c *c) { c.Federation.AllowedNetworks = []netip.Prefix{netip.MustParsePrefix("::/0")} }},
		{"federation.allowed_networks[0]: has bits beyond its mask", func(c *c) { c.Federation.AllowedNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")} }},
		{"audit.webhook_networks[0]: would let a webhook be this host", func(c *c) { c.Audit.WebhookNetworks = []netip.Prefix{netip.MustParsePrefix("::/0")} }},
		{"audit.syslog[1].name: is the name of audit.syslog[0] too", func(c *c) { c.Audit.Syslog = []config.Syslog{siem, siem} }},
		{"audit.syslog[0].address: must be host:port", func(c *c) { c.Audit.Syslog = []config.Syslog{siem}; c.Audit.Syslog[0].Address = "siem" }},
		{"audit.syslog[0].transport: must be tls", func(c *c) {
			c.Audit.Syslog = []config.Syslog{siem}
			c.Audit.Syslog[0].Transport, c.Audit.Syslog[0].CA = "udp", "ca.pem"
		}},
		{"csp.instance_networks[0]: would let an instance be this host", func(c *c) { c.CSP.InstanceNetworks = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }},
		{"csp.instance_http: must be", func(c *c) { c.CSP.InstanceHTTP = "perhaps" }},
		{"gossip.networks[0]: allows all", func(c *c) { c.Gossip.Networks = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")} }},
		{"gossip.networks[0]: has bits beyond its mask", func(c *c) { c.Gossip.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")} }},
		{"cells.key_file: is required", func(c *c) { c.Cells = &config.Cells{Listen: ":7946"} }},
		{"cells.key_file: must be the path", func(c *c) { c.Cells = &config.Cells{Listen: ":7946", KeyFile: "BwcH\nBwcH"} }},
		{"cells.listen: is the address of gossip.listen too", func(c *c) { c.Cells = &config.Cells{Listen: ":7947", KeyFile: "/k"} }},
		{"cells.seeds[0]: must be an address others", func(c *c) { c.Cells = &config.Cells{Listen: ":7946", KeyFile: "/k", Seeds: []string{":7946"}} }},
		{"", func(c *c) { c.Cells = &config.Cells{Listen: ":7946", KeyFile: "/k", Seeds: []string{"cell-1:7946"}} }},
		{"federation.speakers: must be between", func(c *c) { c.Federation.Speakers = 0 }},
		{"gossip.key_file: is required", func(c *c) { c.Gossip.KeyFile = "" }},
		{"gossip.key_file: must be the path", func(c *c) { c.Gossip.KeyFile = "-----BEGIN\nAAAA" }},
		{"gossip.federation: is required", func(c *c) { c.Gossip.Federation = "" }},
		{"gossip.federation: must be 1 to 64", func(c *c) { c.Gossip.Federation = "a/b" }},
		{"keys.master_file: is required", func(c *c) { c.Keys.MasterFile = "" }},

		{"keys.master_key: only one of", func(c *c) { c.Keys.MasterFile, c.Keys.MasterKey = "/k", masterKey }},
		{"keys.master_key: must be 32 bytes", func(c *c) { c.Keys.MasterKey = "c2VjcmV0" }},
		{"keys.master_command: only one of", func(c *c) { c.Keys.MasterFile, c.Keys.MasterCommand = "/k", []string{"kms"} }},
		{"keys.master_command: only one of", func(c *c) { c.Keys.MasterKey, c.Keys.MasterCommand = masterKey, []string{"kms"} }},
		{"keys.master_command: must not have empty", func(c *c) { c.Keys.MasterCommand = []string{"kms", ""} }},
		{"", func(c *c) { c.Keys.MasterKey = masterKey }},
		{"", func(c *c) { c.Keys.MasterCommand = []string{"kms", "decrypt"} }},
		{"keys.algorithm: must be one of", func(c *c) { c.Keys.Algorithm = "none" }},
		{"keys.rotate_every: must be 0, or", func(c *c) { c.Keys.RotateEvery, c.Keys.PublishAhead = time.Hour, 0 }},
		{"keys.publish_ahead: must be at most half", func(c *c) { c.Keys.RotateEvery = 47 * time.Hour }},
		{"", func(c *c) { c.Keys.RotateEvery = 0 }},

		{"database.url: is required", func(c *c) { c.Database.URL = "" }},
		{"database.url: must start with", func(c *c) { c.Database.URL = "mysql://db/x" }},
		{"database.url: must be postgres://", func(c *c) { c.Database.URL = "postgres://db" }},
		{"database.url: must be postgres://", func(c *c) { c.Database.URL = "postgres://u:a/b@db/x/%" }},
		{"", func(c *c) { c.Database.URL = "sqlite:///var/west.db" }},
		{"database.url: must be sqlite://", func(c *c) { c.Database.URL = "sqlite://west.db" }},
		{"database.url: must be sqlite://", func(c *c) { c.Database.URL = "sqlite:west.db" }},
		{"database.url: must be sqlite://", func(c *c) { c.Database.URL = "sqlite:///var/" }},
		{"database.url: must not have options", func(c *c) { c.Database.URL = "sqlite:///west.db?_pragma=synchronous(0)" }},

		{"sessions.token_lifetime: must be between 5m and 720h", func(c *c) { c.Sessions.TokenLifetime = 721 * time.Hour }},
		{"sessions.idle_timeout: must be between 1m and 24h", func(c *c) { c.Sessions.IdleTimeout = 0 }},
		{"sessions.idle_timeout: must not be longer than sessions.user_lifetime", func(c *c) { c.Sessions.UserLifetime = 10 * time.Minute }},
		{"sessions.idle_timeout: must not be longer than sessions.token_lifetime", func(c *c) { c.Sessions.TokenLifetime = 10 * time.Minute }},
		{"device.interval: must be shorter", func(c *c) { c.Device.CodeLifetime = time.Minute }},
		{"device.outstanding_per_source: must not be more", func(c *c) { c.Device.OutstandingPerAccount = 1 }},
		{"rotation.window: must be between 0s and 168h", func(c *c) { c.Rotation.Window = 169 * time.Hour }},
		{"rotation.foreign_window: must not be longer", func(c *c) { c.Rotation.Window = 0 }},
		{"", func(c *c) { c.Rotation.Window, c.Rotation.ForeignWindow = 0, 0 }},
		{"journal.poll: must be at most half", func(c *c) { c.Journal.Poll, c.Journal.StaleAfter = time.Second, time.Second }},
		{"log.level: must be one of", func(c *c) { c.Log.Level = "" }},
		{"database.connections: must be between 2 and 500", func(c *c) { c.Database.Connections = 1 }},

		{"services[1].name: is the name of services[0] too", func(c *c) { c.Services = append(c.Services, service("sample", "/b")) }},
		{"services[1].prefix: overlaps the prefix of services[0]", func(c *c) { c.Services = append(c.Services, service("b", "/sample/b")) }},
		{"", func(c *c) { c.Services = append(c.Services, service("c", "/samples")) }},
		{"services[0].prefix: collides with /api,", func(c *c) { c.Services[0] = service("s", "/api") }},
		{"services[0].prefix: collides with /cloudapi,", func(c *c) { c.Services[0] = service("s", "/CloudAPI/x") }},
		{"services[0].prefix: collides with /.well-known,", func(c *c) { c.Services[0] = service("s", "/.well-known") }},
		{"services[0].prefix: collides with /lb-check,", func(c *c) { c.Services[0] = service("s", "/lb-check") }},
		{"", func(c *c) { c.Services[0] = service("s", "/apis") }},
		{"services[0].prefix: must be a path", func(c *c) { c.Services[0].Prefix = "sample" }},
		{"services[0].prefix: must be a path", func(c *c) { c.Services[0].Prefix = "/sample/" }},
		{"services[0].prefix: must be a path", func(c *c) { c.Services[0].Prefix = "/sample/../api" }},
		{"services[0].prefix: must be a path", func(c *c) { c.Services[0].Prefix = "/%61pi" }},
		{"services[0].prefix: must be a path", func(c *c) { c.Services[0].Prefix = "/{x}" }},
		{"services[0].upstream: must start with http:// or https://", func(c *c) { c.Services[0].Upstream = "127.0.0.1:9000" }},
		{"services[0].upstream: must be http:// with", func(c *c) { c.Services[0].Upstream = "http://127.0.0.1:9000/base" }},
		{"services[0].upstream: is required", func(c *c) { c.Services[0].Upstream = "" }},
		{"limits.login.source.burst: must be between", func(c *c) { c.Limits.Login.Source.Burst = -1 }},
		{"limits: ", func(c *c) { c.Limits.UserCode.Account = config.Budget{Tokens: 1000, Per: time.Minute} }},
		{"services[0].routes: is required", func(c *c) { c.Services[0].Routes = nil }},
		{"services[0].routes[0].right: is required", func(c *c) { c.Services[0].Routes[0].Right = "" }},
		{"services[0].routes[0].method: must be one of", func(c *c) { c.Services[0].Routes[0].Method = "get" }},
		{"services[0].routes[0].path: must lie below", func(c *c) { c.Services[0].Routes[0].Path = "/samples" }},
		{"services[0].routes[0].path: must be a path", func(c *c) { c.Services[0].Routes[0].Path = "/sample/{x}y" }},
		{"services[0].routes[0].path: must be a path", func(c *c) { c.Services[0].Routes[0].Path = "/sample/*/x" }},
		{"services[0].routes[1]: is the same method and path as routes[0]", func(c *c) { c.Services[0].Routes = append(c.Services[0].Routes, c.Services[0].Routes[0]) }},
		{"", func(c *c) { c.Services[0].Routes[0].Path = "/sample/{x}/y/*" }},
	} {
		c := valid()
		tt.spoil(c)
		err := c.Validate()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("refused: %v", err)
		case tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want) && !strings.Contains(err.Error(), "\n"+tt.want)):
			// A prefix that was spoilt leaves the routes outside, one line more.
			t.Errorf("got %v, want %s", err, tt.want)
		case tt.want != "" && strings.Contains(err.Error(), "\n") && !strings.Contains(tt.want, ".prefix"):
			t.Errorf("one mistake, several faults: %v", err)
		}
	}
}
