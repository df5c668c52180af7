package cli

import (
	"encoding/json"
	"io"
	"time"

	"causeway/internal/appflow"
)

// events writes one JSON object per line. No token and no device code is in it.
type events struct {
	out io.Writer
	now func() time.Time
}

type event struct {
	Event           string    `json:"event"`
	At              time.Time `json:"at"`
	VerificationURI string    `json:"verification_uri,omitempty"`
	UserCode        string    `json:"user_code,omitempty"`
	ExpiresAt       time.Time `json:"expires_at,omitzero"`
	Interval        int       `json:"interval,omitempty"` // seconds
	State           string    `json:"state,omitempty"`
	Polls           int       `json:"polls,omitempty"`
	NextPollAt      time.Time `json:"next_poll_at,omitzero"`
	TokenFile       string    `json:"token_file,omitempty"`
	Name            string    `json:"name,omitempty"`
	Org             string    `json:"org,omitempty"`
	Roles           []string  `json:"roles,omitempty"`
	Code            string    `json:"code,omitempty"`
	Message         string    `json:"message,omitempty"`
}

func (e *events) write(v event) {
	v.At = e.now().UTC()
	enc := json.NewEncoder(e.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // nobody reads: the token file is still worth writing
}

func (e *events) asked(r appflow.Request) {
	e.write(event{Event: "asked", VerificationURI: r.VerificationURI, UserCode: r.UserCode, ExpiresAt: r.Expires().UTC(), Interval: int(r.Interval.Seconds())})
}

func (e *events) waiting(p appflow.Progress) {
	v := event{Event: "waiting", State: string(p.State), Polls: p.Polls, NextPollAt: p.Next.UTC()}
	if p.State == appflow.Throttled || p.State == appflow.Unreachable {
		v.Message = p.Err.Error()
	}
	e.write(v)
}

func (e *events) granted(file string) { e.write(event{Event: "granted", TokenFile: file}) }

func (e *events) checked(w appflow.Who) {
	e.write(event{Event: "checked", Name: w.Name, Org: w.Org, Roles: w.Roles})
}

func (e *events) warn(message string) { e.write(event{Event: "warning", Message: message}) }

func (e *events) failed(code string, err error) {
	e.write(event{Event: "failed", Code: code, Message: err.Error()})
}

func (e *events) stop() {}
