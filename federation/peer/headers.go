package peer

import (
	"net/http"
	"strings"

	"causeway/federation/assertion"
	"causeway/tenants"
)

// AssertionHeader carries the assertion between sites and nowhere else.
const AssertionHeader = assertion.Header

// Each site gives a request an id of its own. The client gets ours as VCD's
// header, and the other site's beside it, for whoever reads the logs of both.
const (
	requestIDHeader     = "X-Vmware-Vcloud-Request-Id"
	peerRequestIDHeader = "X-Causeway-Peer-Request-Id"
)

// limitedByHeader tells a client whose limit a 429 is of, where it is not ours: the
// peer's RateLimit headers speak of its own buckets.
const limitedByHeader = "X-Causeway-Limited-By"

// dropLink: SDKs follow a next page's link with the credentials they have, and
// those are for this site only. Without the link they ask us for the next page.
func dropLink(h http.Header) { h.Del("Link") }

func renameRequestID(h http.Header) {
	if id := h.Get(requestIDHeader); id != "" {
		h.Set(peerRequestIDHeader, id)
		h.Del(requestIDHeader)
	}
}

// viaValue names a site in Via by its pseudonym (RFC 9110 §7.6.3), the site id.
func viaValue(self tenants.SiteID) string { return "2.0 " + string(self) }

// ViaNames reports whether a request has passed through site before.
func ViaNames(h http.Header, site tenants.SiteID) bool {
	for _, line := range h.Values("Via") {
		for hop := range strings.SplitSeq(line, ",") {
			if f := strings.Fields(hop); len(f) >= 2 && strings.EqualFold(f[1], string(site)) {
				return true
			}
		}
	}
	return false
}
