package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/gofrs/flock"

	"causeway/internal/atomicfile"
)

// Profile is a site and who speaks to it.
type Profile struct {
	URL  string `yaml:"url" json:"url"` // https://host[:port]
	Org  string `yaml:"org" json:"org"`
	User string `yaml:"user,omitempty" json:"user,omitempty"`
	CA   string `yaml:"ca,omitempty" json:"ca,omitempty"` // file, absolute
	// TokenFile holds a refresh token that each command exchanges, instead of a
	// user's session; absolute.
	TokenFile string `yaml:"token_file,omitempty" json:"tokenFile,omitempty"`
}

// Set is all profiles and the one that counts where none is named.
type Set struct {
	Current  string             `yaml:"current,omitempty"`
	Profiles map[string]Profile `yaml:"profiles"`
}

// Names are those of the profiles, in order.
func (s Set) Names() []string {
	names := make([]string, 0, len(s.Profiles))
	for name := range s.Profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// name is also that of a file.
var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ErrName is a name that no profile can have.
var ErrName = errors.New("a profile's name is 1 to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit")

// CheckName is nil or ErrName.
func CheckName(given string) error {
	if !name.MatchString(given) {
		return ErrName
	}
	return nil
}

// Store is the folder that holds it all.
type Store struct{ folder string }

// Open is the user's own store: $XDG_CONFIG_HOME/causeway, or where the system keeps
// configurations. Nothing is made yet.
func Open() (Store, error) {
	base := os.Getenv("XDG_CONFIG_HOME")
	if base == "" {
		var err error
		if base, err = os.UserConfigDir(); err != nil {
			return Store{}, err
		}
	}
	return At(filepath.Join(base, "causeway"))
}

// At is a store in a folder.
func At(folder string) (Store, error) {
	folder, err := filepath.Abs(folder)
	return Store{folder}, err
}

// File is where the profiles are.
func (s Store) File() string { return filepath.Join(s.folder, "profiles.yaml") }

// Read opens the person's store and loads what is in it.
func Read() (Store, Set, error) {
	s, err := Open()
	if err != nil {
		return s, Set{}, err
	}
	set, err := s.Load()
	return s, set, err
}

// Load reads the profiles; without a file there are none.
func (s Store) Load() (set Set, err error) {
	text, err := os.ReadFile(s.File())
	if errors.Is(err, fs.ErrNotExist) {
		return Set{Profiles: map[string]Profile{}}, nil
	}
	if err != nil {
		return set, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := d.Decode(&set); err != nil && !errors.Is(err, io.EOF) { // an empty file has none
		return set, fmt.Errorf("%s cannot be read: %w", s.File(), err)
	}
	for n := range set.Profiles {
		if err := CheckName(n); err != nil {
			return set, fmt.Errorf("%s: %q: %w", s.File(), n, err)
		}
	}
	if set.Profiles == nil {
		set.Profiles = map[string]Profile{}
	}
	return set, nil
}

// Change has f change the profiles; commands that do so at once wait for each other.
func (s Store) Change(f func(*Set) error) error {
	if err := os.MkdirAll(filepath.Join(s.folder, "sessions"), 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(s.folder, ".lock"), flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	set, err := s.Load()
	if err != nil {
		return err
	}
	if err := f(&set); err != nil {
		return err
	}
	text, err := yaml.Marshal(set)
	if err != nil {
		return err
	}
	return atomicfile.Write(s.File(), text, 0o600)
}
