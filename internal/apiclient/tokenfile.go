package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"causeway/internal/secret"
	"causeway/internal/tokenfile"
)

// TokenFile is the path of a file with a refresh token, see package tokenfile. A
// user's API token stays as it is. A service account's rotates, and the file
// holds its successor before the access token is used.
type TokenFile string

// AccessToken exchanges the file's token.
func (f TokenFile) AccessToken(ctx context.Context, c *Client, org string) (access secret.Text, err error) {
	exchange := func(ctx context.Context, token secret.Text) (successor secret.Text, err error) {
		access, successor, err = c.refresh(ctx, org, token)
		return successor, err
	}
	kept, err := tokenfile.Read(string(f))
	if err == nil && kept.Type == tokenfile.APIToken { // needs no lock, and perhaps no lock can be had
		_, err = exchange(ctx, kept.Refresh)
	} else if err == nil {
		err = tokenfile.Renew(ctx, string(f), userAgent(), exchange)
	}
	if err != nil {
		return "", fmt.Errorf("exchange the token of %s: %w", string(f), err)
	}
	return access, nil
}

func (c *Client) refresh(ctx context.Context, org string, token secret.Text) (access, successor secret.Text, err error) {
	var answer struct {
		Access    string `json:"access_token"`
		Successor string `json:"refresh_token"`
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}}
	if err := c.Form(ctx, Realm(org)+"/token", form, &answer); err != nil {
		return "", "", err
	}
	if answer.Access == "" {
		return "", "", errors.New("the token was exchanged for nothing")
	}
	return secret.Text(answer.Access), secret.Text(answer.Successor), nil
}
