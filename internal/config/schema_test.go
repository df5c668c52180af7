package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"causeway/internal/secret"
)

// TestTagsCanBeRead reads every tag as the code will, so that nothing has to
// handle a bad one at run time.
func TestTagsCanBeRead(t *testing.T) {
	variables := map[string]string{}
	for _, s := range settings() {
		tag := s.field.Tag
		if tag.Get("yaml") == "" {
			t.Errorf("%s has no name", s.key)
		}
		element := s.field.Type
		if element.Kind() == reflect.Slice {
			element = element.Elem()
		}
		sample := map[reflect.Type]string{reflect.TypeFor[time.Duration](): "1s", prefixType: "10.0.0.0/8"}[element]
		if sample == "" {
			sample = "1"
		}
		if m := setScalar(reflect.New(element).Elem(), scalar{sample, anything}); m != "" {
			t.Errorf("%s: no setting can be a %s: %s", s.key, element, m)
		}
		for _, name := range []string{"default", "min", "max"} {
			if v, ok := tag.Lookup(name); ok {
				if m := setScalar(reflect.New(s.field.Type).Elem(), scalar{v, anything}); m != "" {
					t.Errorf("%s: %s %q %s", s.key, name, v, m)
				}
			}
		}
		if (tag.Get("min") == "") != (tag.Get("max") == "") {
			t.Errorf("%s has one bound only", s.key)
		}
		if k := s.field.Type.Kind(); (k == reflect.Int || k == reflect.Int64 || k == reflect.Float64) && tag.Get("min") == "" {
			t.Errorf("%s has no bounds", s.key)
		}
		// CAUSEWAY_A_B_C must mean one setting, also where it ends in _FILE.
		names := []string{s.variable()}
		if s.field.Type == reflect.TypeFor[secret.Text]() {
			names = append(names, s.variable()+"_FILE")
		}
		for _, name := range names {
			if other, dup := variables[name]; dup {
				t.Errorf("%s means %s and %s", name, s.key, other)
			}
			if kubernetes.MatchString(name) {
				t.Errorf("%s looks like one of Kubernetes' own", name)
			}
			variables[name] = s.key
		}
	}
	if len(variables) < 60 {
		t.Errorf("only %d variables were found", len(variables))
	}
}

func TestListMembersHaveNoDefaults(t *testing.T) {
	c := &Config{Services: []Service{{Routes: []ServiceRoute{{}}}}}
	members := 0
	walk(c, func(key string, field reflect.StructField, _ reflect.Value) {
		if strings.Contains(key, "[") {
			members++
			if _, ok := field.Tag.Lookup("default"); ok {
				t.Errorf("nothing would set the default of %s", key)
			}
		}
	})
	if members != 7 {
		t.Errorf("%d settings of list members were seen", members)
	}
}

// Whatever takes time can be set, and no file can set it to what is not safe.
func TestTimings_R14_HaveBounds(t *testing.T) {
	seen := map[string]bool{}
	walk(Defaults(), func(key string, field reflect.StructField, v reflect.Value) {
		if v.Type() != reflect.TypeFor[time.Duration]() {
			return
		}
		seen[key] = true
		least, errLeast := time.ParseDuration(field.Tag.Get("min"))
		most, errMost := time.ParseDuration(field.Tag.Get("max"))
		if errLeast != nil || errMost != nil || least < 0 || most <= least {
			t.Errorf("%s may be anything", key)
			return
		}
		for _, beyond := range []time.Duration{least - 1, most + 1} {
			c := Defaults()
			walk(c, func(k string, _ reflect.StructField, v reflect.Value) {
				if k == key {
					v.SetInt(int64(beyond))
				}
			})
			if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s may be %s: %v", key, beyond, err)
			}
		}
	})
	for _, key := range []string{
		"device.code_lifetime", "device.interval", "rotation.window", "rotation.foreign_window", "journal.poll", "journal.stale_after",
		"sessions.idle_timeout", "federation.timeout", "federation.heartbeat", "operations.drain_delay", "operations.drain_timeout",
	} {
		if !seen[key] {
			t.Errorf("%s cannot be set", key)
		}
	}
}

// TestDefaultsAreInBounds: only what must be set may be missing.
func TestDefaultsAreInBounds(t *testing.T) {
	c := Defaults()
	c.Gossip = &Gossip{}
	setDefaults(c.Gossip)
	c.Site.Name = "west"
	err := c.Validate()
	for _, f := range err.(*Faults).List {
		if f.Message != "is required" {
			t.Error(f)
		}
	}
	if len(err.(*Faults).List) != 4 {
		t.Errorf("required are now:\n%v", err)
	}
}

func TestReference(t *testing.T) {
	text, err := Reference()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- **`database.url`** (required, `CAUSEWAY_DATABASE_URL`, `CAUSEWAY_DATABASE_URL_FILE`) — sqlite:///path",
		"- **`sessions.idle_timeout`** (`30m`, 1m to 24h, `CAUSEWAY_SESSIONS_IDLE_TIMEOUT`) — A session",
		"- **`log.format`** (`text`, one of text json, `CAUSEWAY_LOG_FORMAT`) — Form",
		"- **`limits.login.account`** (`tokens`, `per`, `burst`) — One user",
		"- **`services[].routes[].right`** (required) — Name of the right",
		"\n## `gossip`\nGossip finds the other sites.",
		"\n### `limits.device_authorization`\nDeviceLimits guard",
		"\n### `services[].routes[]`\nWhat may be called.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the reference lacks %q", want)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasSuffix(strings.TrimSpace(line), "—") || strings.HasPrefix(line, "#") && strings.HasSuffix(line, "\n\n") {
			t.Errorf("no comment: %s", line)
		}
	}
	for _, s := range settings() {
		if key := budget.ReplaceAllString(s.key, "$1"); !strings.Contains(text, "**`"+key+"`**") {
			t.Errorf("the reference lacks %s", key)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// budget finds the parts of a bucket, which the reference lists once.
var budget = regexp.MustCompile(`^(limits\.\w+\.\w+)\.\w+$`)

// FuzzLoad: whatever the file holds, the answer is a valid configuration or
// faults that stand on lines the file has.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"", "public: {url: \"https://a\"}\ndatabase: {url: \"sqlite:///a\"}\n", "a: [1\n", "- a", "gossip:\n  seeds: [a, b]\n",
		"services:\n  - name: x\n    routes: [{method: GET}]\n  - \n", "log: &a {level: *a}", "<<: {}", "a: 1\na: 1", "? [a]\n: b", "rotation: {window: 0}",
		"limits: {login: {source: {tokens: 1e400, burst: 0x7f}}}", "---\n---\n", "%YAML 1.2\n---\nsite: {}", "site: !!map {name: |\n x}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLoader()
		l.file("f", data)
		c, err := l.finish(Source{})
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Fatalf("loaded, but %v", err)
			}
			return
		}
		lines := 1 + strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data)), "\n")
		for _, fault := range err.(*Faults).List {
			if fault.Message == "" || fault.Line > lines {
				t.Fatalf("a file of %d lines: %+v", lines, fault)
			}
		}
	})
}

// The example names every setting, and is valid with what is commented out, too,
// but for what excludes each other.
func TestExampleNamesEverySetting(t *testing.T) {
	example, err := os.ReadFile("../../deploy/causeway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings() {
		key := budget.ReplaceAllString(s.key, "$1")
		name := key[strings.LastIndex(key, ".")+1:]
		if !regexp.MustCompile(`(?m)(^[ #]*|[{,] ?)` + regexp.QuoteMeta(name) + `:`).Match(example) {
			t.Errorf("deploy/causeway.yaml does not name %s", key)
		}
	}
	commented := regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:)`)
	exclusive := regexp.MustCompile(`(?m)^ *(# )?(master_key|master_command):.*$`)
	path := filepath.Join(t.TempDir(), "all.yaml")
	if err := os.WriteFile(path, commented.ReplaceAll(exclusive.ReplaceAll(example, nil), []byte("$1$2")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../../deploy/causeway.yaml", path} {
		if _, err := Load(Source{Path: file}); err != nil {
			t.Error(err)
		}
	}
}
