package relay

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"causeway/internal/secret"
	"causeway/internal/trail"
	"causeway/services"
)

// The headers of a call, as the Standard Webhooks specification 1.0 names them.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

// postTimeout bounds a call, with its connection and its answer's head.
const postTimeout = 10 * time.Second

// poster calls webhooks.
type poster struct {
	client *http.Client
	keys   *secret.Keys
	rules  services.AddressRules
	now    func() time.Time
}

func newPoster(keys *secret.Keys, rules services.AddressRules, trust *tls.Config, now func() time.Time) *poster {
	return &poster{keys: keys, rules: rules, now: now, client: &http.Client{
		Transport: &http.Transport{
			DialContext: rules.Dialer(5 * time.Second).DialContext, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: postTimeout, MaxResponseHeaderBytes: 16 << 10,
		},
		// A redirect would lead the signed call to where nobody allowed it.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// message is the body of a call.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"` // a [trail.Record], or what a test says
}

// send makes one call. why is for people, and never what was answered: that is for the
// receiver to show.
func (p *poster) send(ctx context.Context, w Webhook, r trail.Record) (why string, err error) {
	return p.post(ctx, w, messageID(r), message{Type: string(r.Entry.Action), Timestamp: r.Entry.At, Data: r})
}

func (p *poster) post(ctx context.Context, w Webhook, id string, m message) (why string, err error) {
	key, err := p.keys.Open(sealWebhook, w.Secret)
	if err != nil {
		return "The webhook's secret cannot be opened by this site's key.", err
	}
	address, err := p.keys.Open(sealAddress, w.Address)
	if err != nil {
		return "The webhook's address cannot be opened by this site's key.", err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return "The call could not be written.", err
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(address), bytes.NewReader(body))
	if err != nil {
		return "The webhook's address cannot be called.", withoutURL(err)
	}
	if req.URL.Scheme != "https" && !p.rules.PlainHTTP { // it was allowed when it was set
		return "The webhook's address is not https.", services.ErrAddress
	}
	at := strconv.FormatInt(p.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "causeway")
	req.Header.Set(headerID, id)
	req.Header.Set(headerTimestamp, at)
	req.Header.Set(headerSignature, Sign(key, id, at, body))
	answer, err := p.client.Do(req)
	if err != nil {
		return "The webhook could not be reached, or did not answer in time.", withoutURL(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 4096) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return "The webhook answered " + strconv.Itoa(answer.StatusCode) + ".", nil
	}
	return "", nil
}

// withoutURL is err for the log: net/http puts all of the address in front, and its
// path may be what keeps strangers out.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// messages makes the ids of messages; to change it is to give every one another.
var messages = uuid.MustParse("c1a3c9a5-5a05-4f0c-8c0e-6a8d5c1b7e42")

// messageID is the same whenever a row is sent, by which receivers know it again.
func messageID(r trail.Record) string {
	return "msg_" + uuid.NewSHA1(messages, []byte(string(r.Site)+" "+strconv.FormatInt(r.Seq, 10))).String()
}

// Sign is the signature of a call: version 1, base64 of HMAC-SHA256 over id, timestamp
// and body with dots between them.
func Sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
