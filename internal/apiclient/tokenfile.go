package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"

	"causeway/internal/secret"
)

// TokenFile is a file with a refresh token as VCD's tools keep it: JSON with a
// member refresh_token, readable by its owner only. A user's API token stays as
// it is. A service account's rotates; the site answers with its successor, which
// must be kept, so such a file is refused here before its token is used up.
type TokenFile string

// AccessToken exchanges the file's token.
func (f TokenFile) AccessToken(ctx context.Context, c *Client, org string) (secret.Text, error) {
	token, err := f.read()
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.Reveal()}}
	if err := c.Form(ctx, Realm(org)+"/token", form, &answer); err != nil {
		return "", fmt.Errorf("exchange the token of %s: %w", string(f), err)
	}
	if answer.AccessToken == "" {
		return "", errors.New("the token was exchanged for nothing")
	}
	return secret.Text(answer.AccessToken), nil
}

func (f TokenFile) read() (secret.Text, error) {
	body, err := os.ReadFile(string(f))
	if err != nil {
		return "", err
	}
	var kept struct {
		Type    string `json:"token_type"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(body, &kept); err != nil || kept.Refresh == "" {
		return "", fmt.Errorf("%s holds no JSON with a refresh_token", string(f))
	}
	if kept.Type == "Service Account" {
		return "", fmt.Errorf("%s is a service account's: its token rotates and cannot be used from here; use a user's API token", string(f))
	}
	return secret.Text(kept.Refresh), nil
}
