package services

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"causeway/internal/problem"
	"causeway/tenants"
)

// The bounds of an instance.
const (
	maxUpstreams = 32
	maxHosts     = 16
	maxURL       = 1024

	// MostCheckTimeout is the most that a health check waits; it also never waits for
	// longer than until the next.
	MostCheckTimeout = 30 * time.Second
	minSecret        = 32
)

// reservedPaths begin what the gateway answers itself, or may one day.
var reservedPaths = []string{
	"/api", "/cloudapi", "/oauth", "/csp", "/federation", "/portal", "/provider", "/tenant", "/login", "/.well-known", "/metrics", "/health", "/lb-check",
}

var (
	hostName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
	prefixPart = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
)

// check is problem.BadRequest for an instance that could not be served.
func (s *Service) check(in ServiceInstance) error {
	if !tenants.ValidName(in.Name) || len(in.Name) > 128 {
		return badInstance("The name must have 1 to 128 bytes and no control characters.").In("name")
	}
	if in.Mode != Onboarded && in.Mode != Original {
		return badInstance("The mode must be onboarded or original.").In("mode")
	}
	if in.Prefix == "" && len(in.Hosts) == 0 {
		return badInstance("The instance needs a prefix or a host.").In("prefix")
	}
	for _, check := range []func(ServiceInstance) error{s.checkPrefix, s.checkHosts, s.checkUpstreams, checkHealth, s.checkHook} {
		if err := check(in); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) checkPrefix(in ServiceInstance) error {
	if in.Prefix == "" {
		return nil
	}
	parts := strings.Split(in.Prefix, "/")
	if len(in.Prefix) > maxPath || len(parts) < 2 || parts[0] != "" {
		return badInstance("The prefix must be like /name or /name/deeper, of at most %d bytes.", maxPath).In("prefix")
	}
	for _, part := range parts[1:] {
		if !prefixPart.MatchString(part) || part == "." || part == ".." {
			return badInstance("The prefix must be like /name or /name/deeper, of letters, digits, dots, dashes, tildes and underscores.").In("prefix")
		}
	}
	for _, taken := range slices.Concat(reservedPaths, s.reserved.Prefixes) {
		if inside(strings.ToLower(in.Prefix), strings.ToLower(taken)) || inside(taken, in.Prefix) {
			return badInstance("The prefix %s is the gateway's own, or of a service in its configuration.", in.Prefix).In("prefix")
		}
	}
	return nil
}

func inside(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

func (s *Service) checkHosts(in ServiceInstance) error {
	if len(in.Hosts) > maxHosts {
		return badInstance("An instance has at most %d hosts.", maxHosts).In("hosts")
	}
	for i, host := range in.Hosts {
		_, err := netip.ParseAddr(host)
		if len(host) > 253 || !hostName.MatchString(host) || err == nil {
			return badInstance("The host %.80q must be a name in lower case, without a port.", host).In("hosts")
		}
		if slices.Contains(in.Hosts[:i], host) {
			return badInstance("The host %q is there twice.", host).In("hosts")
		}
		if slices.Contains(s.reserved.Hosts, host) {
			return badInstance("The host %q is the gateway's own.", host).In("hosts")
		}
	}
	return nil
}

func (s *Service) checkUpstreams(in ServiceInstance) error {
	if len(in.Upstreams) == 0 || len(in.Upstreams) > maxUpstreams {
		return badInstance("An instance has 1 to %d upstreams.", maxUpstreams).In("upstreams")
	}
	for i, text := range in.Upstreams {
		if err := s.rules.checkURL("upstream", "upstreams", text); err != nil {
			return err
		}
		if slices.Contains(in.Upstreams[:i], text) {
			return badInstance("The upstream %q is there twice.", text).In("upstreams")
		}
	}
	if in.Timeout != 0 && (in.Timeout < 100*time.Millisecond || in.Timeout > 10*time.Minute) {
		return badInstance("The timeout must be from 100 ms to 10 min, or 0 for the default.").In("timeoutMilliseconds")
	}
	return nil
}

// checkURL of a field wants scheme, host and perhaps a path. A name is judged by its addresses
// when it is called, since they change.
func (r AddressRules) checkURL(what, field, text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || u.User != nil ||
		strings.ContainsAny(text, "?#\\ ") || u.RawPath != "" || u.Path != "" && CheckPath(u) != nil {
		return badInstance("The %s %.200q must be a URL of a scheme, a host and perhaps a path, and nothing else.", what, text).In(field)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !r.PlainHTTP) {
		return badInstance("The %s %.200q must be https (http only where the configuration allows it).", what, text).In(field)
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !r.allows(a) {
		return badInstance("The %s %.200q is in a network that the configuration does not allow.", what, text).In(field)
	}
	return nil
}

func checkHealth(in ServiceInstance) error {
	h := in.Health
	if h.Path == "" {
		if h != (HealthCheck{}) {
			return badInstance("A health check needs a path.").In("healthCheck")
		}
		return nil
	}
	u, err := url.Parse(h.Path)
	if err != nil || len(h.Path) > maxPath || u.Host != "" || u.Fragment != "" || CheckPath(u) != nil {
		return badInstance("The path of the health check must begin with a slash.").In("healthCheck")
	}
	for _, d := range []time.Duration{h.Interval, h.Timeout} {
		if d != 0 && (d < 100*time.Millisecond || d > time.Hour) {
			return badInstance("The times of the health check must be from 100 ms to 1 h, or 0 for the default.").In("healthCheck")
		}
	}
	if h.Timeout > MostCheckTimeout || h.Interval != 0 && h.Timeout > h.Interval {
		return badInstance("The timeout of the health check must be at most 30 s, and no longer than its interval.").In("healthCheck")
	}
	if min(h.Healthy, h.Unhealthy) < 0 || max(h.Healthy, h.Unhealthy) > 100 {
		return badInstance("The counts of the health check must be from 1 to 100, or 0 for the default.").In("healthCheck")
	}
	return nil
}

func (s *Service) checkHook(in ServiceInstance) error {
	if in.HookURL == "" {
		return nil
	}
	return s.rules.checkURL("hook", "hookUrl", in.HookURL)
}

func badInstance(format string, args ...any) *problem.Problem {
	return problem.New(problem.BadRequest, format, args...)
}
