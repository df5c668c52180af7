package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/internal/appflow"
	"causeway/internal/secret"
	"causeway/internal/tokenfile"
)

// lockWait is how long another process may hold a token file: longer than its
// exchange takes, whatever the site does.
const lockWait = appflow.LongestCall + 10*time.Second

// lockTold is how long the lock is waited for without a word.
const lockTold = time.Second

// lockToken opens a token file and says when it waits for another process.
func lockToken(ctx context.Context, path string, say func(string)) (*tokenfile.File, error) {
	soon, cancel := context.WithTimeout(ctx, lockTold)
	defer cancel()
	file, err := tokenfile.Open(soon, path)
	if err == nil || soon.Err() == nil || ctx.Err() != nil {
		return file, err
	}
	say("another process is using " + path + ": waiting until it has done so")
	return tokenfile.Open(ctx, path)
}

// renew exchanges the token in a file. A user's needs no lock, and perhaps no
// lock can be had where it lies. A service account's rotates, and its successor
// is in the file before the access token is used.
func renew(ctx context.Context, client *appflow.Client, path string, say func(string)) (tokens appflow.Tokens, err error) {
	kept, err := tokenfile.Read(path) // without a token there is nothing to wait for
	if err != nil {
		return tokens, err
	}
	exchange := func(ctx context.Context, token secret.Text) (secret.Text, error) {
		var err error
		tokens, err = client.Refresh(ctx, token)
		return tokens.Refresh, err
	}
	if kept.Type == tokenfile.APIToken {
		_, err := exchange(ctx, kept.Refresh)
		return tokens, err
	}
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	file, err := lockToken(waiting, path, say)
	if err != nil {
		return tokens, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if warning := exposed(file, path); warning != "" {
		say(warning)
	}
	return tokens, file.Renew(ctx, userAgent(), exchange)
}

// exposed is what to say of a file that others can read, or "".
func exposed(f *tokenfile.File, path string) string {
	if !f.Exposed() {
		return ""
	}
	return fmt.Sprintf("others on this machine can read the token in %s: chmod 600 %s", path, path)
}
