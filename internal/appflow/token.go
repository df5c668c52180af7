package appflow

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"causeway/internal/apiclient"
	"causeway/internal/secret"
)

// Tokens are what a grant gives.
type Tokens struct {
	Access    secret.Text
	Refresh   secret.Text // empty where the presented one stays
	ExpiresIn time.Duration
}

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
)

func (c *Client) exchange(ctx context.Context, form url.Values) (Tokens, error) {
	var body struct {
		AccessToken  string `json:"access_token"`
		TokenType    string `json:"token_type"`
		RefreshToken string `json:"refresh_token"`
		ExpiresIn    int64  `json:"expires_in"`
	}
	if err := c.post(ctx, c.Token, form, &body); err != nil {
		return Tokens{}, err
	}
	if body.AccessToken == "" || !strings.EqualFold(body.TokenType, "Bearer") {
		return Tokens{}, errors.New("the server granted no bearer token")
	}
	return Tokens{
		Access: secret.Text(body.AccessToken), Refresh: secret.Text(body.RefreshToken), ExpiresIn: seconds(body.ExpiresIn),
	}, nil
}

// seconds bounds what a server says to what a Duration and a calendar hold.
func seconds(n int64) time.Duration {
	const most = 366 * 24 * 60 * 60
	return time.Duration(min(max(n, 0), most)) * time.Second
}

// A call that decided nothing is made again a few times, and not at all if the
// server wants a longer pause than a command should take: then its user waits.
const (
	callTries  = 5
	callDelay  = time.Second // before the second try; doubled each time
	mostOfWait = 10 * time.Second
)

// LongestCall is how long [Client.Refresh] and [Client.WhoAmI] take at most.
const LongestCall = callTries*callTimeout + (callTries-1)*mostOfWait

func retry[T any](ctx context.Context, call func() (T, error)) (T, error) {
	for try := 1; ; try++ {
		answer, err := call()
		delay := backOff(callDelay, try-1, err)
		if err == nil || !temporary(err) || try == callTries || delay > mostOfWait || wait(ctx, delay) != nil {
			return answer, err
		}
	}
}

// Refresh presents a refresh token. An answer that was lost is asked for again
// with the same token: the server gives the same successor, and no other token
// could be presented.
func (c *Client) Refresh(ctx context.Context, token secret.Text) (Tokens, error) {
	form := url.Values{"grant_type": {grantRefresh}, "refresh_token": {token.Reveal()}}
	if c.ID != "" {
		form.Set("client_id", c.ID)
	}
	return retry(ctx, func() (Tokens, error) { return c.exchange(ctx, form) })
}

// Who is whom an access token belongs to.
type Who struct {
	Name, Org string
	Roles     []string
}

// WhoAmI asks VCD's sessions/current. An answer that was lost is asked for again.
func (c *Client) WhoAmI(ctx context.Context, access secret.Text) (Who, error) {
	return retry(ctx, func() (Who, error) { return c.whoAmI(ctx, access) })
}

func (c *Client) whoAmI(ctx context.Context, access secret.Text) (Who, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Session, nil)
	if err != nil {
		return Who{}, err
	}
	r.Header.Set("Authorization", "Bearer "+access.Reveal())
	r.Header.Set("Accept", "application/json;version=37.0")
	var body struct {
		User  struct{ Name string }
		Org   struct{ Name string }
		Roles []string
	}
	if err := c.do(r, &body); err != nil {
		return Who{}, err
	}
	who := Who{Name: apiclient.Printable(body.User.Name), Org: apiclient.Printable(body.Org.Name)}
	for _, role := range body.Roles {
		who.Roles = append(who.Roles, apiclient.Printable(role))
	}
	return who, nil
}
