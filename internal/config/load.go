package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxSize of the file and of a secret's file. A larger one is something else,
// given by mistake.
const maxSize = 1 << 20

// Source is where a configuration comes from; later ones win.
type Source struct {
	// Path of the YAML file; empty reads none.
	Path string
	// Environ is os.Environ(). A setting database.url is CAUSEWAY_DATABASE_URL,
	// lists have commas, an empty variable is not set, and a secret may come
	// from the file that CAUSEWAY_DATABASE_URL_FILE names.
	Environ []string
	// Flags are dotted keys with their values.
	Flags map[string]string
}

// Load reads, checks and completes a configuration. Its error is a *Faults with
// every fault there is.
func Load(src Source) (*Config, error) {
	l := newLoader()
	if src.Path != "" {
		data, err := readBounded(src.Path)
		if err != nil {
			l.unread = true
			l.fault(Origin{Name: src.Path, rank: fromFile}, "", "%s", reason(err))
		} else {
			l.file(src.Path, data)
		}
	}
	return l.finish(src)
}

// finish adds the variables and flags to what the file says and checks it all.
func (l *loader) finish(src Source) (*Config, error) {
	l.environment(src.Environ)
	l.flags(src.Flags)
	if l.config.Site.Name == "" {
		l.config.Site.Name, _ = os.Hostname() // without one, the check below asks for a name
	}
	if !l.unread { // else everything required would seem to be missing
		check(l.config, l.checked)
	}
	if err := faultsOrNil(l.faults); err != nil {
		return nil, err
	}
	return l.config, nil
}

// loader gathers a configuration and its faults.
type loader struct {
	config *Config
	faults []Fault
	name   string            // of the file
	unread bool              // the file has no settings that could be read
	origin map[string]Origin // of every key that was set, sections included
	broken map[string]bool   // keys already at fault: one mistake, one line
}

func newLoader() *loader {
	return &loader{config: Defaults(), origin: map[string]Origin{}, broken: map[string]bool{}}
}

func (l *loader) fault(at Origin, key, format string, args ...any) {
	l.broken[key] = true
	l.faults = append(l.faults, Fault{at, key, fmt.Sprintf(format, args...)})
}

// checked takes a fault of a value that could be read.
func (l *loader) checked(key, message string) {
	at := Origin{Name: l.name, rank: fromFile}
	found := false
	for k := key; k != ""; k = parent(k) {
		if l.broken[k] {
			return
		}
		if o, ok := l.origin[k]; ok && !found {
			at, found = o, true
		}
	}
	l.faults = append(l.faults, Fault{at, key, message})
}

// parent is the key of the list or section that holds key.
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

func indexed(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = errors.New("larger than 1 MiB")
	}
	return data, err
}

// reason is err without the path, which the fault has already.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return "cannot be read: " + err.Error()
}
