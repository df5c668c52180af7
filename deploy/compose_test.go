package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"causeway/federation/gossip"
	"causeway/internal/config"
	"causeway/internal/sitetest"
)

// project is the part of a Compose file that the tests judge.
type project struct {
	Services map[string]struct {
		Image       string
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
		SecurityOpt []string `yaml:"security_opt"`
		Grace       string   `yaml:"stop_grace_period"`
		Secrets     []string
		Volumes     []string
		Networks    any
		Environment map[string]string
	}
	Secrets map[string]struct{ File string }
	Volumes map[string]any
}

func readProject(t *testing.T, file string) (p project) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return p
}

// What Compose would only say when it starts, on a machine that has it.
func TestCompose_R12_R15_ServicesAreConfined(t *testing.T) {
	for _, file := range []string{"compose/one-site/compose.yaml", "compose/three-sites/compose.yaml"} {
		p, cells := readProject(t, file), 0
		for name, s := range p.Services {
			if !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
				t.Errorf("%s: %s keeps privileges", file, name)
			}
			for _, secret := range s.Secrets {
				if p.Secrets[secret].File == "" {
					t.Errorf("%s: %s takes the secret %s, which there is not", file, name, secret)
				}
			}
			for key, value := range s.Environment {
				if path, ok := strings.CutPrefix(value, "/run/secrets/"); strings.HasSuffix(key, "_FILE") && (!ok || !slices.Contains(s.Secrets, path)) {
					t.Errorf("%s: %s reads %s, which it is not given", file, name, value)
				}
			}
			for _, v := range s.Volumes {
				from, _, _ := strings.Cut(v, ":")
				if _, ok := p.Volumes[from]; ok {
					continue
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), from)); err != nil {
					t.Errorf("%s: %s mounts %s: %v", file, name, v, err)
				}
			}
			if s.Image == "causeway" {
				cells++
				if !s.ReadOnly {
					t.Errorf("%s: %s can write to its root", file, name)
				}
				wantPatience(t, file+": "+name, s.Grace)
			}
		}
		if cells == 0 {
			t.Errorf("%s runs no cell", file)
		}
	}
}

// TestCompose_TheConfigurationsAreValid makes the secrets as the documentation says.
func TestCompose_TheConfigurationsAreValid(t *testing.T) {
	sitetest.Needs(t, "openssl", "openssl")
	folder := t.TempDir()
	script := filepath.Join(folder, "secrets.sh")
	data, err := os.ReadFile("compose/three-sites/secrets.sh")
	if err != nil {
		t.Fatal(err)
	}
	causeway := filepath.Join(folder, "causeway") // whose other commands are tested elsewhere
	key := gossip.NewKey()
	for path, text := range map[string]string{script: string(data), causeway: "#!/bin/sh\necho " + key + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time nothing is made anew
		make := exec.Command(script)
		make.Env = append(os.Environ(), "CAUSEWAY="+causeway)
		if out, err := make.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	secrets := filepath.Join(folder, "secrets")
	p := readProject(t, "compose/three-sites/compose.yaml")
	for name, secret := range p.Secrets {
		if info, err := os.Stat(filepath.Join(folder, secret.File)); err != nil || info.Size() == 0 {
			t.Errorf("secrets.sh does not make %s: %v", name, err)
		}
	}
	for site, service := range map[string]string{"west": "west-1", "east": "east", "south": "south"} {
		var environ []string
		for name, value := range p.Services[service].Environment {
			environ = append(environ, name+"="+strings.Replace(value, "/run/secrets", secrets, 1))
		}
		file := derive(t, "compose/three-sites/"+site+".yaml", "/run/secrets", secrets)
		c, err := config.Load(config.Source{Path: file, Environ: environ})
		if err != nil {
			t.Errorf("%s: %v", site, err)
			continue
		}
		if c.Site.Name != site || !strings.Contains(c.Database.URL.Reveal(), "@"+site+"-db/") {
			t.Errorf("%s is %s on another site's database", site, c.Site.Name)
		}
		for _, path := range []string{c.Public.Certificate, c.Public.Key, c.Public.Authority, c.Gossip.KeyFile} {
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", site, err)
			}
		}
	}
	if _, err := config.Load(config.Source{Path: "compose/one-site/causeway.yaml"}); err != nil {
		t.Error(err)
	}
	output(t, "openssl", "verify", "-CAfile", filepath.Join(secrets, "ca.crt"), filepath.Join(secrets, "west.crt"))
}

// The balancer of the three sites is the one that the tests run, elsewhere.
func TestCompose_TheBalancerIsTheTestedOne(t *testing.T) {
	ours, err := os.ReadFile(derive(t, haproxyFile,
		"\tlog /dev/log local0\n\tuser haproxy\n\tgroup haproxy\n", "\tlog stdout format raw local0\n",
		"10.0.0.1", "172.30.0.1", "bind :443", "bind :8443"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile("compose/three-sites/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	const begin = "global\n"
	if a, b := string(ours), string(theirs); a[strings.Index(a, begin):] != b[strings.Index(b, begin):] {
		t.Error("compose/three-sites/haproxy.cfg differs from haproxy/haproxy.cfg in more than addresses")
	}
}
