package tokenfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"causeway/internal/secret"
)

// The kinds of tokens, in the words of VCD's SDKs.
const (
	ServiceAccount = "Service Account" // rotates at every use
	APIToken       = "API Token"       // a user's; stays
)

// Token is what a file holds.
type Token struct {
	Type      string // ServiceAccount or APIToken; empty if the file does not say
	Refresh   secret.Text
	UpdatedBy string // the program that wrote the file
	UpdatedOn time.Time
}

// ErrNoToken is a file that is absent or empty.
var ErrNoToken = errors.New("there is no token in the file")

// maxFile is far more than any token needs.
const maxFile = 64 << 10

type wireToken struct {
	Type      string `json:"token_type"`
	Refresh   string `json:"refresh_token"`
	UpdatedBy string `json:"updated_by"`
	UpdatedOn string `json:"updated_on"`
}

// parse needs a refresh_token only: people write such files by hand. Members
// that it does not know, and a time that it cannot read, do no harm. Its errors
// never quote the text, which may be a token without its JSON.
func parse(text []byte) (Token, error) {
	if strings.TrimSpace(string(text)) == "" {
		return Token{}, ErrNoToken
	}
	var w wireToken
	if err := json.Unmarshal(text, &w); err != nil {
		return Token{}, errors.New(`it is not JSON like {"refresh_token":"…"}`)
	}
	token := strings.TrimSpace(w.Refresh)
	if token == "" {
		return Token{}, errors.New("it has no refresh_token")
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return Token{}, errors.New("its refresh_token holds characters that no token has")
	}
	on, _ := time.Parse(time.RFC3339, w.UpdatedOn) // for people only
	return Token{Type: w.Type, Refresh: secret.Text(token), UpdatedBy: w.UpdatedBy, UpdatedOn: on}, nil
}

func (t Token) encode() ([]byte, error) {
	if t.Refresh == "" {
		return nil, fmt.Errorf("tokenfile: %w to write", ErrNoToken)
	}
	body, err := json.MarshalIndent(wireToken{
		Type: t.Type, Refresh: t.Refresh.Reveal(), UpdatedBy: t.UpdatedBy, UpdatedOn: t.UpdatedOn.Format(time.RFC3339),
	}, "", "  ")
	return append(body, '\n'), err
}
