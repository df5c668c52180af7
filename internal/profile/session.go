package profile

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"causeway/internal/atomicfile"
	"causeway/internal/secret"
)

// ErrNoSession is a profile in which nobody is logged in, or is not any more.
var ErrNoSession = errors.New("nobody is logged in")

// sessionFile is a session as it is kept. The access token ends with its session: at
// logout, when nothing was asked for half an hour, or after a day at the latest.
type sessionFile struct {
	Access  string    `json:"access_token"`
	Expires time.Time `json:"expires,omitzero"` // the latest end, if the token tells
}

func (s Store) session(profile string) string {
	return filepath.Join(s.folder, "sessions", profile+".json")
}

// KeepSession keeps the access token of a profile.
func (s Store) KeepSession(profile string, access secret.Text) error {
	if err := CheckName(profile); err != nil {
		return err
	}
	body, err := json.Marshal(sessionFile{access.Reveal(), Expiry(access)})
	if err != nil {
		return err
	}
	return atomicfile.Write(s.session(profile), append(body, '\n'), 0o600)
}

// Session is the access token of a profile, or ErrNoSession. One that others can read
// is not used: they may have.
func (s Store) Session(profile string, now time.Time) (secret.Text, error) {
	if err := CheckName(profile); err != nil {
		return "", err
	}
	path := s.session(profile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNoSession
	}
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others on this machine can read %s: log out and in again", path)
	}
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	var kept sessionFile
	if err := json.Unmarshal(text, &kept); err != nil || kept.Access == "" {
		return "", ErrNoSession // damaged is as good as none
	}
	if !kept.Expires.IsZero() && !now.Before(kept.Expires) {
		return "", ErrNoSession
	}
	return secret.Text(kept.Access), nil
}

// ForgetSession removes the access token of a profile, if there is one.
func (s Store) ForgetSession(profile string) error {
	if err := CheckName(profile); err != nil {
		return err
	}
	err := os.Remove(s.session(profile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Expiry is when a JWT says that it ends, unverified: it only saves a question. Any
// other token says nothing, which is zero.
func Expiry(access secret.Text) time.Time {
	parts := strings.Split(access.Reveal(), ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Exp int64 `json:"exp"`
	}
	if err != nil || json.Unmarshal(body, &claims) != nil || claims.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(claims.Exp, 0)
}
