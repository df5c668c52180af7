package apiclient

import "net/http"

// HTTP trusts the certificates in a PEM file, or the system's if caFile is empty,
// and follows no redirect: one would take the credentials along.
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
