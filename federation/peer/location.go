package peer

import (
	"net/http"
	"net/url"
	"strings"
)

// localize makes a Location that lies under a peer's public origin one under
// ours, where the same client reaches the same thing through us, with the context
// headers that it sends anyway. Its credentials are for this site only, so it
// could not follow the peer's own. Both origins are scheme://host[:port], from
// the association and from our configuration.
//
// Addresses in bodies stay as the peer wrote them: they name what is there.
func localize(h http.Header, theirs, ours string) {
	if theirs == "" || ours == "" {
		return
	}
	rest, under := cutOrigin(h.Get("Location"), theirs)
	if under {
		h.Set("Location", ours+rest)
	}
}

// cutOrigin takes origin from the front of location. What a client could read in
// another way is left for others to refuse.
func cutOrigin(location, origin string) (rest string, under bool) {
	if strings.ContainsFunc(location, func(c rune) bool { return c == '\\' || c <= ' ' }) {
		return "", false
	}
	u, err := url.Parse(location)
	if err != nil || u.User != nil || u.Opaque != "" || !strings.EqualFold(u.Scheme+"://"+u.Host, origin) {
		return "", false
	}
	rest = u.EscapedPath()
	if rest != "" && rest[0] != '/' {
		return "", false
	}
	if u.RawQuery != "" {
		rest += "?" + u.RawQuery
	}
	return rest, true
}

// Origin is scheme://host[:port] of an address, in lower case, or empty.
func Origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}
