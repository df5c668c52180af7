package appflow

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"causeway/internal/apiclient"
)

// Client is an app. It authenticates by nothing but what it presents.
type Client struct {
	Endpoints
	HTTP      *http.Client // must not follow redirects: they could carry a token away
	ID        string       // client_id
	UserAgent string
}

const (
	callTimeout = 30 * time.Second
	maxAnswer   = 1 << 20
)

// Refusal is a server's no (RFC 6749 §5.2).
type Refusal struct {
	Status      int
	Code        string // error, or VCD's minorErrorCode
	Description string
	RequestID   string        // what the site's operator needs to look it up
	RetryAfter  time.Duration // 0 if the server did not say
}

func (r *Refusal) Error() string {
	var b strings.Builder
	switch {
	case r.Code == "":
		fmt.Fprintf(&b, "the server answered with status %d", r.Status)
	case r.Description == "":
		b.WriteString(r.Code)
	default:
		fmt.Fprintf(&b, "%s: %s", r.Code, r.Description)
	}
	if r.RetryAfter > 0 {
		fmt.Fprintf(&b, "; try again in %s", r.RetryAfter.Round(time.Second))
	}
	if r.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", r.RequestID)
	}
	return b.String()
}

// temporary reports whether the same request may succeed later: nobody has
// decided anything about it.
func temporary(err error) bool {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Status == http.StatusTooManyRequests || r.Status >= 500
	}
	var certificate *tls.CertificateVerificationError
	var failed *url.Error
	return errors.As(err, &failed) && !errors.As(err, &certificate)
}

// RefusedAs reports whether err is a server's no with this code.
func RefusedAs(err error, code string) bool {
	var r *Refusal
	return errors.As(err, &r) && r.Code == code && r.Status < 500 && r.Status != http.StatusTooManyRequests
}

// post sends a form and decodes the answer into body.
func (c *Client) post(ctx context.Context, endpoint string, form url.Values, body any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	return c.do(r, body)
}

func (c *Client) do(r *http.Request, body any) error {
	r.Header.Set("User-Agent", c.UserAgent)
	res, err := c.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil { // cut off: as if it had not come
		return &url.Error{Op: r.Method, URL: r.URL.Redacted(), Err: err}
	}
	if res.StatusCode != http.StatusOK {
		return refusal(res, text)
	}
	if err := json.Unmarshal(text, body); err != nil {
		return fmt.Errorf("%s does not answer as an OAuth server", r.URL.Redacted())
	}
	return nil
}

func refusal(res *http.Response, text []byte) error {
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
		Minor       string `json:"minorErrorCode"`
		Message     string `json:"message"`
	}
	_ = json.Unmarshal(text, &body) // a proxy's page leaves it empty
	if body.Code == "" {
		body.Code, body.Description = body.Minor, body.Message
	}
	return &Refusal{
		Status: res.StatusCode, Code: apiclient.Printable(body.Code), Description: apiclient.Printable(body.Description),
		RequestID: apiclient.Printable(res.Header.Get("X-VMWARE-VCLOUD-REQUEST-ID")), RetryAfter: retryAfter(res.Header.Get("Retry-After")),
	}
}

// longestWait bounds what a server may ask for.
const longestWait = 10 * time.Minute

// retryAfter reads seconds or a date (RFC 9110 §10.2.3).
func retryAfter(value string) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), longestWait)
}
