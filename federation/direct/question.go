package direct

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"causeway/internal/problem"
	"causeway/tenants"
)

// The paths under a site's peer listener.
const (
	IntrospectPath = "/federation/v1/introspect"
	TokenKeysPath  = "/federation/v1/tokenKeys"
)

const (
	maxQuestion = 1 << 10
	maxAnswer   = 4 << 10
	maxName     = 255
)

// Question is what one site asks another about a session of Org there, whose
// token was shown in Here, an organization of the asking site.
type Question struct {
	Session tenants.SessionID `json:"session"`
	Org     tenants.OrgID     `json:"org"`
	Here    tenants.OrgID     `json:"here"`
}

// ParseQuestion reads what another site asks.
func ParseQuestion(body io.Reader) (Question, error) {
	refused := problem.New(problem.BadRequest, "The question cannot be read.")
	text, err := io.ReadAll(io.LimitReader(body, maxQuestion+1))
	if err != nil || len(text) > maxQuestion {
		return Question{}, refused
	}
	var q Question
	if err := json.Unmarshal(text, &q); err != nil {
		return Question{}, refused
	}
	for _, id := range []string{string(q.Session), string(q.Org), string(q.Here)} {
		if canonical, err := tenants.ParseUUID(id); err != nil || canonical != id {
			return Question{}, refused
		}
	}
	return q, nil
}

// Answer says whom a session is of. Where it is not active, for whatever reason,
// nothing else is said.
type Answer struct {
	Active     bool      `json:"active"`
	Kind       string    `json:"kind,omitempty"` // user or serviceAccount
	ID         string    `json:"id,omitempty"`   // of the principal, at home
	Name       string    `json:"name,omitempty"`
	SoftwareID string    `json:"softwareId,omitempty"`
	IdP        string    `json:"idp,omitempty"` // as in an assertion
	ExpiresAt  time.Time `json:"expiresAt,omitzero"`
}

var errAnswer = errors.New("direct: the other site's answer cannot be read")

func parseAnswer(text []byte) (Answer, error) {
	var a Answer
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&a); err != nil || dec.More() {
		return Answer{}, errAnswer
	}
	if !a.Active {
		return Answer{}, nil
	}
	for _, s := range []string{a.Kind, a.ID, a.Name, a.SoftwareID, a.IdP} {
		if len(s) > maxName || !utf8.ValidString(s) || bytes.ContainsFunc([]byte(s), unicode.IsControl) {
			return Answer{}, errAnswer
		}
	}
	account, user := a.Kind == string(tenants.KindServiceAccount), a.Kind == string(tenants.KindUser)
	if !account && !user || account != (a.SoftwareID != "") || a.Name == "" {
		return Answer{}, errAnswer
	}
	return a, nil
}
