package config

import (
	"context"
	"slices"
	"time"

	"causeway/internal/secret"
)

// Keys is the root of every secret a site stores, and how its signing keys live.
// Of master_file, master_key and master_command one is set; the file is the default.
type Keys struct {
	// File with the master key, mode 0600. The first start creates it. Back it
	// up apart from the database: whoever has both has the site. The folder also
	// takes the local CA, where there is no certificate.
	MasterFile string `yaml:"master_file" default:"/var/lib/causeway/master.key" required:"true"`
	// The master key itself, 32 random bytes as base64, instead of the file:
	// CAUSEWAY_KEYS_MASTER_KEY_FILE reads it from what an orchestrator mounts.
	MasterKey secret.Text `yaml:"master_key"`
	// Program and arguments whose output is the master key as base64, instead of
	// the file: what unwraps it in a KMS, a vault or a TPM. It has 30 s, gets none
	// of the CAUSEWAY_… variables, and no shell is involved.
	MasterCommand []string `yaml:"master_command"`
	// Algorithm of new signing keys: es256, or rs256 for verifiers that insist. A
	// change is seen within an hour and a minute, and takes effect as any rotation.
	Algorithm string `yaml:"algorithm" default:"es256" oneof:"es256 rs256"`
	// How long a key signs until another takes over; what it signed stays good.
	// 0 leaves it to people, else a day at least.
	RotateEvery time.Duration `yaml:"rotate_every" default:"2160h" min:"0s" max:"87600h"`
	// How long before it signs a key is published, for verifiers that remember
	// what they fetched.
	PublishAhead time.Duration `yaml:"publish_ahead" default:"24h" min:"0s" max:"720h"`
}

// leastRotation bounds how many keys verify at once: tokens live for up to 30 days.
const leastRotation = 24 * time.Hour

// Master is where the master key comes from. create makes the file if there is
// none: for a new site.
func (k Keys) Master(create bool) secret.MasterSource {
	switch {
	case len(k.MasterCommand) > 0:
		return secret.MasterCommand(k.MasterCommand)
	case k.MasterKey != "":
		return secret.MasterText(k.MasterKey)
	}
	return secret.MasterFile{Path: k.MasterFile, Create: create}
}

func checkKeys(c *Config, say report) {
	k := c.Keys
	const one = "only one of keys.master_file, keys.master_key and keys.master_command can be set"
	given := k.MasterFile != Defaults().Keys.MasterFile
	if k.MasterKey != "" {
		if given {
			say("keys.master_key", one)
		} else if _, err := secret.MasterText(k.MasterKey).Load(context.Background()); err != nil {
			say("keys.master_key", "must be 32 bytes as base64")
		}
	}
	if len(k.MasterCommand) > 0 && (given || k.MasterKey != "") {
		say("keys.master_command", one)
	}
	if slices.Contains(k.MasterCommand, "") {
		say("keys.master_command", "must not have empty parts")
	}
	if k.RotateEvery != 0 && k.RotateEvery < leastRotation {
		say("keys.rotate_every", "must be 0, or a day at least")
	}
	if k.RotateEvery != 0 && 2*k.PublishAhead > k.RotateEvery {
		say("keys.publish_ahead", "must be at most half of keys.rotate_every")
	}
}
