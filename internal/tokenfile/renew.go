package tokenfile

import (
	"context"
	"errors"
	"time"

	"causeway/internal/secret"
)

// Exchange presents a refresh token and returns its successor: empty or the
// same if the token does not rotate.
type Exchange func(ctx context.Context, token secret.Text) (successor secret.Text, err error)

// Renew exchanges the token in the file for its successor under the lock, so
// that processes which share the file take turns. by is the program's name.
//
// If exchange succeeds and the write fails, the file still holds the old token
// and the server still takes it: call Renew again.
func Renew(ctx context.Context, path, by string, exchange Exchange) (err error) {
	f, err := Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Renew(ctx, by, exchange)
}

// Renew is Renew for a file that is locked already.
func (f *File) Renew(ctx context.Context, by string, exchange Exchange) error {
	token, err := f.Token()
	if err != nil {
		return err
	}
	successor, err := exchange(ctx, token.Refresh)
	if err != nil || successor == "" || successor == token.Refresh {
		return err
	}
	token.Refresh, token.UpdatedBy, token.UpdatedOn = successor, by, time.Now()
	if token.Type == "" {
		token.Type = ServiceAccount // no other token rotates
	}
	return f.Save(token)
}
