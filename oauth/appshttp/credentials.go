package appshttp

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/internal/secret"
	"causeway/oauth/apps"
)

// maxBasic bounds id:secret, each character of which may be percent-encoded, in
// base64.
const maxBasic = (3*(256+256) + 1 + 2) / 3 * 4

// credentials are what a client says to be (RFC 6749 §2.3.1). The header counts
// before the body, as CSP has it: one library sends both.
func credentials(r *http.Request, form url.Values) ([]apps.Credentials, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		return basic(header)
	}
	id, key := form.Get("client_id"), form.Get("client_secret")
	if id == "" || key == "" {
		return nil, problem.New(problem.InvalidClient, "Client credentials are required: a client id and its secret by HTTP Basic, or as client_id and client_secret.")
	}
	return readings(id, key), nil
}

func basic(header string) ([]apps.Credentials, error) {
	refused := problem.New(problem.InvalidClient, "The Authorization header must be Basic, with a client id and its secret.")
	scheme, encoded, _ := strings.Cut(header, " ")
	encoded = strings.TrimSpace(encoded)
	if !strings.EqualFold(scheme, "Basic") || len(encoded) > maxBasic {
		return nil, refused
	}
	plain, err := base64.StdEncoding.DecodeString(encoded)
	id, key, ok := strings.Cut(string(plain), ":")
	if err != nil || !ok || id == "" || !utf8.Valid(plain) {
		return nil, refused
	}
	return readings(id, key), nil
}

// readings are a client's words as they are and, where that says something else,
// percent-decoded: some clients encode them first, as RFC 6749 has it, and most do
// not.
func readings(id, key string) []apps.Credentials {
	tried := []apps.Credentials{{ID: id, Secret: secret.Text(key)}}
	plainID, errID := url.QueryUnescape(id)
	plainKey, errKey := url.QueryUnescape(key)
	if errID == nil && errKey == nil && (plainID != id || plainKey != key) {
		tried = append(tried, apps.Credentials{ID: plainID, Secret: secret.Text(plainKey)})
	}
	return tried
}
