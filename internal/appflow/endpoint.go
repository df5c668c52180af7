package appflow

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Endpoints are where a client's requests go.
type Endpoints struct {
	Device  string // device authorization (RFC 8628 §3.1)
	Token   string
	Session string // VCD's sessions/current
}

// provider is the organization of the provider; its realm is not a tenant's.
const provider = "System"

// VCD lists the endpoints of an organization as VCD has them. site is what
// people give to VCD's clients: https://host[:port], with or without /api.
func VCD(site, org string) (Endpoints, error) {
	base, err := baseURL(site)
	if err != nil {
		return Endpoints{}, err
	}
	if org == "" {
		return Endpoints{}, errors.New("an organization is required")
	}
	issuer := base + realm(org)
	return Endpoints{
		Device: issuer + "/device_authorization", Token: issuer + "/token", Session: base + "/cloudapi/1.0.0/sessions/current",
	}, nil
}

func realm(org string) string {
	if strings.EqualFold(org, provider) {
		return "/oauth/provider"
	}
	return "/oauth/tenant/" + url.PathEscape(org)
}

// baseURL refuses plain http: the tokens would cross the network in clear.
func baseURL(site string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(site))
	if err != nil || u.Host == "" || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%q is not an address like https://host:8443", site)
	}
	switch path := strings.TrimSuffix(u.Path, "/"); path {
	case "", "/api":
		return "https://" + u.Host, nil
	}
	return "", fmt.Errorf("%q has a path; the address of a site is https://host[:port]", site)
}
