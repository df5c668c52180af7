package config

import (
	"reflect"
	"slices"
	"strings"
)

// Changed lists the settings in which a and b differ, by their dotted keys in the
// order of the alphabet. A list of sections, such as services, counts as one.
func Changed(a, b *Config) []string {
	before, after := values(a), values(b)
	var keys []string
	for key, v := range before {
		if other, ok := after[key]; !ok || !reflect.DeepEqual(v, other) {
			keys = append(keys, key)
		}
	}
	for key := range after {
		if _, ok := before[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

func values(c *Config) map[string]any {
	all := map[string]any{}
	walk(c, func(key string, _ reflect.StructField, v reflect.Value) {
		if !strings.Contains(key, "[") { // a member's list is there as a whole
			all[key] = v.Interface()
		}
	})
	return all
}
