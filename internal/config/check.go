package config

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Validate checks a configuration that Go code made or changed. Its error is a
// *Faults with every fault there is; Load has called it already.
func (c *Config) Validate() error {
	var list []Fault
	check(c, func(key, message string) { list = append(list, Fault{Key: key, Message: message}) })
	return faultsOrNil(list)
}

// report takes one fault of the setting called key.
type report func(key, message string)

// check finds everything that is wrong with a readable configuration: first
// each setting by its tags, then what tags cannot say.
func check(c *Config, say report) {
	bad := map[string]bool{}
	walk(c, func(key string, field reflect.StructField, v reflect.Value) {
		if message := checkTags(field.Tag, v); message != "" {
			bad[key] = true
			say(key, message)
		}
	})
	further := func(key, message string) {
		if !bad[key] { // out of bounds is enough to know of a setting
			say(key, message)
		}
	}
	for _, f := range []func(*Config, report){
		checkSite, checkPublic, checkAddresses, checkDatabase, checkPaths, checkKeys, checkTimes, checkServices, checkAudit, checkLimits, checkTracing,
	} {
		f(c, further)
	}
}

// checkTags holds a setting against required, min, max and oneof.
func checkTags(tag reflect.StructTag, v reflect.Value) string {
	if tag.Get("required") != "" && (v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0) {
		return "is required"
	}
	if words := tag.Get("oneof"); words != "" && !slices.Contains(strings.Fields(words), v.String()) {
		return "must be one of " + strings.Join(strings.Fields(words), ", ")
	}
	low, high := tag.Get("min"), tag.Get("max")
	if low == "" {
		return ""
	}
	if compareTag(v, low) < 0 || compareTag(v, high) > 0 {
		return "must be between " + low + " and " + high
	}
	return ""
}

// compareTag compares a number or duration with one written in a tag.
func compareTag(v reflect.Value, bound string) int {
	limit := reflect.New(v.Type()).Elem()
	_ = setScalar(limit, scalar{bound, anything}) // a test reads every tag
	if v.Kind() == reflect.Float64 {
		return cmp.Compare(v.Float(), limit.Float())
	}
	return cmp.Compare(v.Int(), limit.Int())
}

// checkTimes holds settings against one another.
func checkTimes(c *Config, say report) {
	for _, rule := range []struct {
		key     string
		broken  bool
		message string
	}{
		{"sessions.idle_timeout", c.Sessions.IdleTimeout > c.Sessions.UserLifetime, "must not be longer than sessions.user_lifetime"},
		{"sessions.idle_timeout", c.Sessions.IdleTimeout > c.Sessions.TokenLifetime, "must not be longer than sessions.token_lifetime"},
		{"device.interval", c.Device.Interval >= c.Device.CodeLifetime, "must be shorter than device.code_lifetime"},
		{"device.outstanding_per_source", c.Device.OutstandingPerSource > c.Device.OutstandingPerAccount, "must not be more than device.outstanding_per_account"},
		{"rotation.foreign_window", c.Rotation.ForeignWindow > c.Rotation.Window, "must not be longer than rotation.window"},
		{"rotation.max_age", 0 < c.Rotation.MaxAge && c.Rotation.MaxAge < time.Hour, "must be 0 or at least 1h"},
		{"journal.poll", 2*c.Journal.Poll > c.Journal.StaleAfter, "must be at most half of journal.stale_after"},
	} {
		if rule.broken {
			say(rule.key, rule.message)
		}
	}
}
