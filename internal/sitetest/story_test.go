package sitetest

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestStory(t *testing.T) {
	Each(t, func(t *testing.T, p *Pair) { story(t, inProcess(p)) })
}

func TestStoryOfTheBinary(t *testing.T) {
	s, end := newProcesses(t)
	defer end()
	story(t, s)
}

// story is the whole road. It is told once and played everywhere: in one process
// with the test, on each database, and against the binary.
func story(t *testing.T, s *stage) {
	t.Run("a tenant's account at its own site", func(t *testing.T) { ownSite(t, s, "acme", "Inventory Operator") })
	t.Run("a provider's account at its own site", func(t *testing.T) { ownSite(t, s, System, "System Administrator") })
	c := &crossing{stage: s}
	play(t,
		step{"the app connects at west", c.connect},
		step{"VCD-37 VCD-39 one header sends the call to east", c.byName},
		step{"VCD-39 east's organization of the same name is named by its id", c.byID},
		step{"VCD-37 R7 the fulfilling site's role decides", c.roles},
		step{"VCD-38 name and software ID must both be equal and the organizations associated", c.twins},
		step{"VCD-39 R6 an organization that is not associated does not exist", c.unknown},
		step{"VCD-38 another software ID at east is refused and says so", c.otherSoftware},
		step{"R13 without east its calls are 503 at once and local ones go on", c.outage},
		step{"R13 east comes back without hands", c.recovery},
		step{"VCD-90 VCD-91 VCD-92 R4 revocation ends everything at once", c.revocation},
		step{"VCD-94 the whole procedure repeats", c.connect},
		step{"VCD-25 R13 a flood of device requests is 429 and hurts nobody else", c.flood},
		step{"VCD-12 R12 no token, code or password is in a log or a database", s.wantNoSecrets},
	)
}

// wantNoSecrets reads every file of the sites for what they have issued. On
// PostgreSQL these are the logs alone.
func (s *stage) wantNoSecrets(t *testing.T) {
	issued := s.Issued()
	if len(issued) < 50 {
		t.Errorf("only %d secrets were issued", len(issued))
	}
	var passwords []string
	for _, site := range s.File.Sites {
		passwords = append(passwords, site.Admin.Password)
		for _, org := range site.Organizations {
			passwords = append(passwords, org.Admin.Password)
		}
	}
	read := 0
	err := filepath.WalkDir(s.folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		read += len(text)
		for _, secret := range issued {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		for _, password := range passwords {
			if d.Name() != "dev.json" && bytes.Contains(text, []byte(password)) {
				t.Errorf("%s holds the password %q", path, password)
			}
		}
		return err
	})
	if err != nil || read < 10_000 {
		t.Errorf("%d bytes read, %v", read, err)
	}
}
