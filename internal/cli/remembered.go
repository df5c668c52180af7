package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"causeway/internal/profile"
)

func now() time.Time { return time.Now() }

// chosen is the profile that a flag, the environment or the last login names.
func chosen(flag string) (_ profile.Store, name string, p profile.Profile, _ error) {
	store, set, err := profile.Read()
	if err != nil {
		return store, "", p, err
	}
	name = flag
	if name == "" {
		name = os.Getenv(profileEnv)
	}
	if name == "" {
		name = set.Current
	}
	if name == "" {
		return store, "", p, usageError{errors.New("say which site by --url or --profile, or --dev for a running causeway dev; causeway login makes a profile")}
	}
	p, ok := set.Profiles[name]
	if !ok {
		return store, name, p, noProfile(name)
	}
	return store, name, p, nil
}

// remembered is the profile that a command uses.
type remembered struct {
	store profile.Store
	name  string
	profile.Profile
}

// remember fills in what no flag says. A profile's session goes to the profile's site
// alone: who names another site names who asks there, too.
func (p *place) remember() error {
	store, name, found, err := chosen(p.profile)
	if err != nil {
		return err
	}
	p.kept = &remembered{store, name, found}
	p.url = found.URL
	if p.ca == "" {
		p.ca = found.CA
	}
	if !p.given("org") {
		p.org = found.Org
	}
	return nil
}

// given reports whether a flag was.
func (p *place) given(flag string) bool { return p.set.Lookup(flag).Changed }

// recall is who asks with a profile where no flag says it: its token file, or its
// session, which access is then.
func (c *connection) recall() (access string, err error) {
	if c.user != "" || c.tokenFile != "" {
		return "", nil
	}
	k := c.kept
	if !strings.EqualFold(c.org, k.Org) {
		return "", usageError{fmt.Errorf("profile %s is of organization %s: to ask as somebody of %s give --user or --token-file, too", k.name, k.Org, c.org)}
	}
	if k.TokenFile != "" {
		c.tokenFile = k.TokenFile
		return "", nil
	}
	token, err := k.store.Session(k.name, now())
	if errors.Is(err, profile.ErrNoSession) {
		return "", overText(k.name)
	}
	return token.Reveal(), err
}
