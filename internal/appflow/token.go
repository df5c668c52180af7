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

// refreshTries bounds how often a lost answer is asked for again.
const refreshTries = 5

// Refresh presents a refresh token. An answer that was lost is asked for again
// with the same token: the server gives the same successor, and no other token
// could be presented.
func (c *Client) Refresh(ctx context.Context, token secret.Text) (Tokens, error) {
	form := url.Values{"grant_type": {grantRefresh}, "refresh_token": {token.Reveal()}}
	if c.ID != "" {
		form.Set("client_id", c.ID)
	}
	for try := 1; ; try++ {
		tokens, err := c.exchange(ctx, form)
		if err == nil || !temporary(err) || try == refreshTries {
			return tokens, err
		}
		if wait(ctx, backOff(time.Second, try-1, err)) != nil {
			return Tokens{}, err
		}
	}
}

// Who is whom an access token belongs to.
type Who struct {
	Name, Org string
	Roles     []string
}

// WhoAmI asks VCD's sessions/current. An answer that was lost is asked for again.
func (c *Client) WhoAmI(ctx context.Context, access secret.Text) (Who, error) {
	for try := 1; ; try++ {
		who, err := c.whoAmI(ctx, access)
		if err == nil || !temporary(err) || try == refreshTries {
			return who, err
		}
		if wait(ctx, backOff(time.Second, try-1, err)) != nil {
			return Who{}, err
		}
	}
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
