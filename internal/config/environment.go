package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"causeway/internal/secret"
)

// kubernetes matches what a pod finds in its environment about services called
// causeway-…, which would otherwise be refused as misspelt settings.
var kubernetes = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\d+_.*)$`)

// environment reads CAUSEWAY_… variables. One that begins like a section but is
// no setting is a fault; others, such as CAUSEWAY_TOKEN, belong to the client
// commands.
func (l *loader) environment(environ []string) {
	values := map[string]string{}
	for _, pair := range environ {
		if name, value, _ := strings.Cut(pair, "="); value != "" && strings.HasPrefix(name, "CAUSEWAY_") {
			values[name] = value
		}
	}
	for _, s := range settings() {
		name := s.variable()
		value, ok := values[name]
		delete(values, name)
		if s.field.Type == reflect.TypeFor[secret.Text]() {
			path, fromPath := values[name+"_FILE"]
			delete(values, name+"_FILE")
			if ok && fromPath {
				l.fault(variable(name), s.key, "is set by %s_FILE too", name)
				continue
			}
			if fromPath {
				name += "_FILE"
				value, ok = l.secretFile(name, s.key, path)
			}
		}
		if ok {
			l.set(s, value, variable(name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if ofSection(name) && !kubernetes.MatchString(name) {
			l.fault(variable(name), "", "there is no such setting, or it can be set in the file only")
		}
	}
}

func variable(name string) Origin { return Origin{Name: name, rank: fromEnvironment} }

func ofSection(name string) bool {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if strings.HasPrefix(name, variableName(t.Field(i).Tag.Get("yaml"))+"_") {
			return true
		}
	}
	return false
}

// secretFile reads a secret without the line end that editors add.
func (l *loader) secretFile(name, key, path string) (string, bool) {
	data, err := readBounded(path)
	if err != nil {
		l.fault(variable(name), key, "%s %s", quote(path), reason(err))
		return "", false
	}
	value := strings.TrimRight(string(data), "\r\n")
	if value == "" {
		l.fault(variable(name), key, "%s is empty", quote(path))
		return "", false
	}
	return value, true
}

func (l *loader) flags(flags map[string]string) {
	all := map[string]setting{}
	for _, s := range settings() {
		all[s.key] = s
	}
	at := Origin{Name: "flag", rank: fromFlag}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		s, ok := all[key]
		if !ok {
			l.fault(at, key, "%s", unknown(key, all))
			continue
		}
		l.set(s, flags[key], at)
		if s.field.Type == reflect.TypeFor[secret.Text]() && (key != "database.url" || holdsPassword(l.config.Database.URL)) {
			l.fault(at, key, "holds a password or key, which everybody on this machine could see; use the file or %s_FILE", s.variable())
		}
	}
}

// set takes a value from a variable or flag, and with it the place of any fault
// that the setting turns out to have.
func (l *loader) set(s setting, value string, at Origin) {
	v := s.in(l.config)
	var message string
	if v.Kind() == reflect.Slice {
		message = setList(v, value)
	} else {
		message = setScalar(v, scalar{value, anything})
	}
	l.forget(s.key)
	l.origin[s.key] = at
	if message != "" {
		l.fault(at, s.key, "%s", message)
	}
}

// forget drops what is known of a value that another one has replaced, the
// members of a list included.
func (l *loader) forget(key string) {
	maps.DeleteFunc(l.origin, func(k string, _ Origin) bool { return within(k, key) })
	maps.DeleteFunc(l.broken, func(k string, _ bool) bool { return within(k, key) })
}

func within(key, list string) bool { return key == list || strings.HasPrefix(key, list+"[") }
