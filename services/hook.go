package services

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"causeway/internal/tracing"
	"causeway/tenants"
)

// The headers of a hook's call beside Content-Type. The signature is hex of HMAC-SHA256
// over timestamp, a dot and the body, by the hook's secret.
const (
	headerIdempotency = "Idempotency-Key"
	headerTimestamp   = "X-Causeway-Timestamp"
	headerSignature   = "X-Causeway-Signature"
)

// The events of a hook.
const (
	eventCreated = "account.created"
	eventEnded   = "account.ended"
)

// hookBody is what an instance is told.
type hookBody struct {
	Event    string        `json:"event"`
	Org      tenants.OrgID `json:"organizationId"`
	Instance InstanceID    `json:"instanceId"`
	Account  hookAccount   `json:"account"`
}

type hookAccount struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Kind      string         `json:"kind"` // app or manual
	Client    string         `json:"clientId,omitempty"`
	Site      tenants.SiteID `json:"siteId,omitempty"`
	Groups    []string       `json:"groups"`
	CreatedAt string         `json:"createdAt"`
	EndedAt   string         `json:"endedAt,omitempty"`
}

// Kind is how clients are told of what an account is.
func (a InstanceAccount) Kind() string {
	if a.Manual() {
		return "manual"
	}
	return "app"
}

func newHookBody(a InstanceAccount) hookBody {
	b := hookBody{Event: eventCreated, Org: a.Org, Instance: a.Instance, Account: hookAccount{
		ID: a.ID, Name: a.Name, Kind: a.Kind(), Client: a.App.ID, Site: a.App.Site,
		Groups: []string{AccountsGroup}, CreatedAt: a.CreatedAt.UTC().Format(time.RFC3339Nano),
	}}
	if !a.EndedAt.IsZero() {
		b.Event, b.Account.Groups, b.Account.EndedAt = eventEnded, []string{}, a.EndedAt.UTC().Format(time.RFC3339Nano)
	}
	return b
}

// SignHook is the signature of a hook's call.
func SignHook(secret []byte, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

const (
	hookTimeout   = 10 * time.Second
	hookLease     = time.Minute // a cell that died has not delivered by then
	hookAttempts  = 12
	hookPause     = 5 * time.Second // after the first failure; twice that after the next
	hookMostPause = 15 * time.Minute
)

// pauseAfter is how long the next attempt waits after the n-th.
func pauseAfter(n int) time.Duration {
	return min(hookPause<<min(n-1, 20), hookMostPause)
}

// post makes one call. why is for people, and never what was answered: that is for the
// instance to show.
func (d *Deliverer) post(ctx context.Context, delivery Delivery, span tracing.Span) (why string, err error) {
	secret, err := d.Keys.Open(sealHook, delivery.Secret)
	if err != nil {
		return "The hook's secret cannot be opened by this site's key.", err
	}
	body, err := json.Marshal(newHookBody(delivery.InstanceAccount))
	if err != nil {
		return "The call could not be written.", err
	}
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, delivery.URL, bytes.NewReader(body))
	if err != nil {
		return "The hook's address cannot be called.", err
	}
	if r.URL.Scheme != "https" && !d.Rules.PlainHTTP { // it was allowed when it was set
		return "The hook's address is not https.", ErrAddress
	}
	timestamp := strconv.FormatInt(d.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "causeway")
	r.Header.Set(headerIdempotency, delivery.Hook.Key)
	r.Header.Set(headerTimestamp, timestamp)
	r.Header.Set(headerSignature, SignHook(secret, timestamp, body))
	span.Tell(r.Header)
	answer, err := d.client.Do(r)
	if err != nil {
		return "The hook could not be reached, or did not answer in time.", err
	}
	defer answer.Body.Close()
	span.SetInt(tracing.Status, answer.StatusCode)
	_, _ = io.CopyN(io.Discard, answer.Body, 4096) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return "The hook answered " + strconv.Itoa(answer.StatusCode) + ".", nil
	}
	return "", nil
}
