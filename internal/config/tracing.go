package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Tracing sends traces to an OpenTelemetry collector, by OTLP over HTTP. Leave the
// section out and there are none, at no cost. Spans hold routes, ids and statuses,
// and nothing that a client chose.
type Tracing struct {
	// URL of the collector. Without a path it is /v1/traces. http:// is for one on
	// this host, or on a network that nobody else reads.
	Endpoint string `yaml:"endpoint" required:"true"`
	// File with headers for each request to the collector, as its provider gives
	// them: one "Name: value" on each line. It wants https://, but for this host.
	HeadersFile string `yaml:"headers_file"`
	// File with the certificates of the authorities that may vouch for the collector,
	// PEM. Without it they are the system's.
	Authority string `yaml:"authority"`
	// Part of the traces that are kept, from 0 to 1, of those that begin here. A
	// request from another site, or from accept_from, is kept if it was kept there.
	Ratio float64 `yaml:"ratio" default:"0.01" min:"0" max:"1"`
	// Networks whose traceparent header is believed, so that a trace goes on with the
	// caller's: of clients or proxies of your own, as they connect to this site. Anybody
	// else's trace begins anew. Other sites need not be named.
	AcceptFrom []netip.Prefix `yaml:"accept_from"`
	// What is said of every span besides the site and the version, such as
	// deployment.environment.name=production.
	Attributes []string `yaml:"attributes"`
}

// URL is the endpoint with its path.
func (t *Tracing) URL() string {
	if u, err := url.Parse(t.Endpoint); err == nil && u.Path == "" {
		return t.Endpoint + "/v1/traces"
	}
	return t.Endpoint
}

// Named are the attributes by their names.
func (t *Tracing) Named() map[string]string {
	all := map[string]string{}
	for _, a := range t.Attributes {
		name, value, _ := strings.Cut(a, "=")
		all[name] = value
	}
	return all
}

var (
	attributeName = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,127}$`)
	attributeText = regexp.MustCompile(`^[\x20-\x7e]{1,255}$`)
)

// ownAttributes are what the site says of itself.
var ownAttributes = []string{"service.name", "service.version", "causeway.site.id", "causeway.site.name"}

func checkTracing(c *Config, say report) {
	t := c.Tracing
	if t == nil {
		return
	}
	if t.Endpoint != "" {
		checkCollector(t, say)
	}
	checkNetworks("tracing.accept_from", t.AcceptFrom, "would let everybody choose what is kept; leave it out to believe nobody", say)
	seen := map[string]bool{}
	for i, a := range t.Attributes {
		key := indexed("tracing.attributes", i)
		name, value, _ := strings.Cut(a, "=")
		switch {
		case !attributeName.MatchString(name) || !attributeText.MatchString(value):
			say(key, "must be a name and a value, such as deployment.environment.name=production")
		case slices.Contains(ownAttributes, name):
			say(key, "is what the site says of itself")
		case seen[name]:
			say(key, "is there twice")
		}
		seen[name] = true
	}
}

func checkCollector(t *Tracing, say report) {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(t.Endpoint, "#") || u.Path != "" && !canonical(u.Path) {
		say("tracing.endpoint", "must be http:// or https:// with a host, and perhaps a port and a path: what is secret goes into headers_file")
		return
	}
	if message := checkOrigin(strings.TrimSuffix(t.Endpoint, u.EscapedPath()), "http", "https"); message != "" {
		say("tracing.endpoint", message)
		return
	}
	if u.Scheme == "http" && t.HeadersFile != "" && !thisHost(u.Hostname()) {
		say("tracing.headers_file", "would be sent in clear: tracing.endpoint must be https://")
	}
	if u.Scheme == "http" && t.Authority != "" {
		say("tracing.authority", "vouches for nobody: tracing.endpoint is http://")
	}
}

func thisHost(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
