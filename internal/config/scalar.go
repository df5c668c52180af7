package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// scalar is one written value with what YAML takes it for.
type scalar struct {
	text string
	kind scalarKind
}

type scalarKind int

const (
	anything scalarKind = iota // from a variable or flag, which have only text
	text
	number
	other // true, false, infinity: no setting has such values
)

// setScalar reads s into v. The message says what is wrong, empty if nothing
// is; it quotes values of settings that hold no secret.
func setScalar(v reflect.Value, s scalar) (message string) {
	switch p := v.Addr().Interface().(type) {
	case *time.Duration:
		return setDuration(p, s)
	case *netip.Prefix:
		var err error
		if *p, err = netip.ParsePrefix(s.text); err != nil {
			return fmt.Sprintf("%s is not a network such as 10.0.0.0/8", quote(s.text))
		}
		return ""
	}
	switch v.Kind() {
	case reflect.String: // also secret.Text
		if s.kind != anything && s.kind != text {
			return "must be a text; put it in quotes"
		}
		v.SetString(s.text)
	case reflect.Int:
		n, err := strconv.ParseInt(s.text, 10, 32)
		if err != nil || s.kind == text {
			return "must be a whole number"
		}
		v.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(s.text, 64)
		if err != nil || s.kind == text { // bounds keep infinity out
			return "must be a number"
		}
		v.SetFloat(n)
	default:
		return "cannot be set" // a test holds that there is no such setting
	}
	return ""
}

// setDuration wants a unit, except for 0: a bare 30 would be nanoseconds to Go
// and seconds to most people.
func setDuration(p *time.Duration, s scalar) string {
	d, err := time.ParseDuration(s.text)
	if err != nil {
		return fmt.Sprintf("%s is not a duration such as 90s, 30m or 24h", quote(s.text))
	}
	*p = d
	return ""
}

// setList reads values with commas between them, the way of variables and flags.
func setList(v reflect.Value, s string) (message string) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
	list := reflect.MakeSlice(v.Type(), len(parts), len(parts))
	for i, part := range parts {
		if m := setScalar(list.Index(i), scalar{part, anything}); m != "" {
			return m
		}
	}
	v.Set(list)
	return ""
}

// quote keeps a fault to one readable line.
func quote(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strconv.Quote(s)
}
