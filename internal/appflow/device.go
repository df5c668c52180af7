package appflow

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"causeway/internal/apiclient"
	"causeway/internal/secret"
)

// Request is an open device request.
type Request struct {
	DeviceCode      secret.Text
	UserCode        string
	VerificationURI string
	Asked           time.Time // this machine's clock, before the request was sent
	ExpiresIn       time.Duration
	Interval        time.Duration
}

// Expires is when the codes end, or a moment before.
func (r Request) Expires() time.Time { return r.Asked.Add(r.ExpiresIn) }

// defaultInterval is meant where the server names none (RFC 8628 §3.2).
const defaultInterval = 5 * time.Second

// Authorize asks for a device grant once. What it returns lets people grant the
// request, and nobody redeem it without DeviceCode.
func (c *Client) Authorize(ctx context.Context) (Request, error) {
	asked := time.Now()
	var body struct {
		DeviceCode      string `json:"device_code"`
		UserCode        string `json:"user_code"`
		VerificationURI string `json:"verification_uri"`
		ExpiresIn       int64  `json:"expires_in"`
		Interval        int64  `json:"interval"`
	}
	if err := c.post(ctx, c.Device, url.Values{"client_id": {c.ID}}, &body); err != nil {
		return Request{}, err
	}
	r := Request{
		DeviceCode: secret.Text(body.DeviceCode), UserCode: apiclient.Printable(body.UserCode), VerificationURI: apiclient.Printable(body.VerificationURI),
		Asked: asked, ExpiresIn: seconds(body.ExpiresIn), Interval: min(seconds(body.Interval), longestWait),
	}
	if r.DeviceCode == "" || r.UserCode == "" || r.VerificationURI == "" || r.ExpiresIn == 0 {
		return Request{}, errors.New("the server's answer to the device authorization request is not complete (RFC 8628 §3.2)")
	}
	if r.Interval == 0 {
		r.Interval = defaultInterval
	}
	return r, nil
}

// Link is the verification address where it may become a link or a QR code: an
// https address that does not carry the user code. Whoever gets a code with
// such a link has only to nod, and a phisher needs no more.
func (r Request) Link() (string, bool) {
	u, err := url.Parse(r.VerificationURI)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	code := fold(r.UserCode)
	return r.VerificationURI, code != "" && !strings.Contains(fold(r.VerificationURI), code)
}

// fold drops what people leave out of a code when they type it.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToUpper(s))
}

// askTries bounds how often a throttled request is sent again.
const askTries = 5

// Ask is Authorize that comes back when the site is throttled and says when. It
// reports each wait.
func (c *Client) Ask(ctx context.Context, report func(Progress)) (Request, error) {
	for try := 1; ; try++ {
		r, err := c.Authorize(ctx)
		if state, _ := classify(err); err == nil || state != Throttled || try == askTries {
			return r, err
		}
		delay := backOff(defaultInterval, try-1, err)
		report(Progress{State: Throttled, Next: time.Now().Add(delay), Err: err})
		if wait(ctx, delay) != nil {
			return Request{}, ctx.Err()
		}
	}
}
