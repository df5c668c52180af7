package config

import (
	"path"
	"strings"
)

// reserved are the gateway's own paths. A service may not stand in their way,
// nor look like one of them to a proxy that folds case.
var reserved = []string{"/api", "/cloudapi", "/oauth", "/provider", "/tenant", "/federation", "/csp", "/.well-known", "/lb-check"}

func checkServices(c *Config, say report) {
	for i, s := range c.Services {
		key := indexed("services", i)
		for j, other := range c.Services[:i] {
			if s.Name != "" && s.Name == other.Name {
				say(key+".name", "is the name of "+indexed("services", j)+" too")
			}
			if s.Prefix != "" && other.Prefix != "" && overlap(s.Prefix, other.Prefix) {
				say(key+".prefix", "overlaps the prefix of "+indexed("services", j))
			}
		}
		if s.Prefix != "" {
			checkPrefix(s.Prefix, func(message string) { say(key+".prefix", message) })
		}
		if message := checkOrigin(s.Upstream, "http", "https"); s.Upstream != "" && message != "" {
			say(key+".upstream", message)
		}
		checkRoutes(s, key, say)
	}
}

func checkPrefix(prefix string, say func(message string)) {
	if !canonical(prefix) || strings.ContainsAny(prefix, "{}*") {
		say("must be a path such as /metrics: a slash at the front, none at the end, nothing to decode")
		return
	}
	for _, own := range reserved {
		if overlap(strings.ToLower(prefix), own) {
			say("collides with " + own + ", which is the gateway's own")
		}
	}
}

func checkRoutes(s Service, key string, say report) {
	seen := map[string]int{}
	for i, r := range s.Routes {
		key := indexed(key+".routes", i)
		switch {
		case r.Path == "": // required, and said so
		case !canonical(r.Path) || !wellPatterned(r.Path):
			say(key+".path", "must be a path from the root, with nothing to decode; {name} and a last * stand for whole segments")
		case !below(r.Path, s.Prefix):
			say(key+".path", "must lie below the service's prefix "+s.Prefix)
		}
		if first, dup := seen[r.Method+" "+r.Path]; dup {
			say(key, "is the same method and path as "+indexed("routes", first)+" of the service")
		} else {
			seen[r.Method+" "+r.Path] = i
		}
	}
}

// canonical holds for a path with one spelling: what is authorized is then what
// is forwarded.
func canonical(p string) bool {
	if p == "" || p[0] != '/' || path.Clean(p) != p {
		return false
	}
	for _, c := range []byte(p) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`%?#;\`, c) >= 0 {
			return false
		}
	}
	return true
}

// wellPatterned wants braces around a whole segment and * as the whole last one.
func wellPatterned(p string) bool {
	segments := strings.Split(p[1:], "/")
	for i, s := range segments {
		if len(s) > 2 && s[0] == '{' && s[len(s)-1] == '}' {
			s = s[1 : len(s)-1]
		} else if s == "*" && i == len(segments)-1 {
			continue
		}
		if strings.ContainsAny(s, "{}*") {
			return false
		}
	}
	return true
}

func below(p, prefix string) bool { return p == prefix || strings.HasPrefix(p, prefix+"/") }

func overlap(a, b string) bool { return below(a, b) || below(b, a) || a == "/" || b == "/" }
