package appflow

import (
	"errors"

	"causeway/internal/apiclient"
)

// Endpoints are where a client's requests go.
type Endpoints struct {
	Device  string // device authorization (RFC 8628 §3.1)
	Token   string
	Session string // VCD's sessions/current
}

// VCD lists the endpoints of an organization as VCD has them. site is what
// people give to VCD's clients: https://host[:port], with or without /api.
func VCD(site, org string) (Endpoints, error) {
	base, err := apiclient.BaseURL(site)
	if err != nil {
		return Endpoints{}, err
	}
	if org == "" {
		return Endpoints{}, errors.New("an organization is required")
	}
	issuer := base + apiclient.Realm(org)
	return Endpoints{
		Device: issuer + "/device_authorization", Token: issuer + "/token", Session: base + "/cloudapi/1.0.0/sessions/current",
	}, nil
}
