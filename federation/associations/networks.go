package associations

import (
	"net/netip"

	"causeway/internal/problem"
)

// maxNetworks bounds the networks of one site.
const maxNetworks = 64

// ParseNetworks reads where the addresses of a site may lie.
func ParseNetworks(texts []string) ([]netip.Prefix, error) {
	if len(texts) > maxNetworks {
		return nil, problem.New(problem.BadRequest, "A site has at most %d networks.", maxNetworks)
	}
	var list []netip.Prefix
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil || p != p.Masked() || p.Addr().Is4In6() {
			return nil, problem.New(problem.BadRequest, "%.64q is not a network such as 192.0.2.0/24 or 2001:db8::/32.", text)
		}
		list = append(list, p)
	}
	return list, nil
}
