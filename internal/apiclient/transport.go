package apiclient

import "net/http"

// HTTP is for commands that speak as an app does, without a session. It trusts
// the certificates in a PEM file, or the system's if caFile is empty, and
// follows no redirect: one would take the tokens along.
func HTTP(caFile string) (*http.Client, error) {
	transport, err := trusting(caFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// BaseURL is https://host[:port] of what people give as a site's address.
func BaseURL(given string) (string, error) { return baseURL(given) }
