package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// MasterSource is where a site's master key comes from. An implementation for a
// KMS needs no more than this.
type MasterSource interface {
	// Load returns what is derived from the master key. It ends with ctx, and its
	// error never quotes the key.
	Load(ctx context.Context) (*Keys, error)
}

// MasterFile is a file of the host.
type MasterFile struct {
	Path string
	// Create makes the file if there is none: for a new site only, since a new key
	// opens nothing that another one sealed.
	Create bool
}

// Load reads the file, see LoadKeys and LoadOrCreateKeys.
func (f MasterFile) Load(context.Context) (*Keys, error) {
	if f.Create {
		return LoadOrCreateKeys(f.Path)
	}
	return LoadKeys(f.Path)
}

// MasterText is the key itself as base64, out of the environment or of a file that
// an orchestrator mounts.
type MasterText Text

// Load parses the text.
func (t MasterText) Load(context.Context) (*Keys, error) {
	master, err := parseKeyFile(Text(t).Reveal())
	if err != nil {
		return nil, fmt.Errorf("secret: the master key %w", err)
	}
	return NewKeys(master)
}

// Format keeps the text out of whatever prints it.
func (t MasterText) Format(s fmt.State, verb rune) { Text(t).Format(s, verb) }

// MasterCommand is a program and its arguments, whose output is the key as base64:
// what a KMS, a vault or a TPM unwraps.
type MasterCommand []string

const (
	commandTime = 30 * time.Second
	// commandMore is for pipes that the program's children hold open.
	commandMore = time.Second
	maxOutput   = 4 << 10
)

// Load runs the program. What it writes to standard error is dropped, since nobody
// knows what that says; the error tells how the program ended.
func (c MasterCommand) Load(ctx context.Context) (*Keys, error) {
	if len(c) == 0 {
		return nil, errors.New("secret: there is no program that gives the master key")
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out := bounded{full: cancel}
	program := exec.CommandContext(ctx, c[0], c[1:]...)
	program.Stdout, program.WaitDelay = &out, commandMore
	program.Env = withoutOwn(os.Environ())
	if err := program.Run(); err != nil {
		switch {
		case out.over:
			err = errors.New("it writes more than a key")
		case ctx.Err() != nil:
			err = ctx.Err()
		}
		return nil, fmt.Errorf("secret: %s, which gives the master key: %w", c[0], err)
	}
	master, err := parseKeyFile(out.text.String())
	if err != nil {
		return nil, fmt.Errorf("secret: the output of %s, which gives the master key, %w", c[0], err)
	}
	return NewKeys(master)
}

// withoutOwn drops our own settings from an environment: the database's password
// is nothing for the program to know.
func withoutOwn(environ []string) (kept []string) {
	for _, pair := range environ {
		if !strings.HasPrefix(pair, "CAUSEWAY_") {
			kept = append(kept, pair)
		}
	}
	return kept
}

// bounded takes what a key can need, and ends a program that writes more. The
// buffer is a field: embedded, it would offer a ReadFrom that knows no bound.
type bounded struct {
	text bytes.Buffer
	over bool
	full context.CancelFunc
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > maxOutput {
		b.over = true
		b.full()
		return 0, io.ErrShortBuffer
	}
	return b.text.Write(p)
}
