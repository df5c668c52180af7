package secret

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "REDACTED"

// Text is a secret in memory. Everything that formats, logs or encodes it gets
// REDACTED; only Reveal gives the text.
//
// Three ways round it remain, because the printer decides before it asks a
// value: the verbs %p and %w (go vet refuses both here), a Text in an unexported
// field of a struct that fmt prints whole, and a Text as the key of a map that
// becomes JSON. Keep it in an exported field, and never make it a key.
type Text string

// Reveal returns the secret itself. Its callers are the places to review.
func (t Text) Reveal() string { return string(t) }

func (Text) String() string { return redacted }

func (Text) GoString() string { return redacted }

// Format covers every verb, also %x and %d, which would not ask String.
func (Text) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText serves XML and YAML. What is not set is shown as that: a
// configuration that is written can be read again.
func (t Text) MarshalText() ([]byte, error) {
	if t == "" {
		return nil, nil
	}
	return []byte(redacted), nil
}

// MarshalJSON is said outright for encoders that do not ask for MarshalText.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Value keeps a Text out of the database: what is stored there is a digest, a
// hash or a sealed value, and handing over the clear text is a mistake.
func (Text) Value() (driver.Value, error) {
	return nil, errors.New("secret: a secret is not stored in clear")
}
