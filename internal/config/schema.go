package config

import (
	"net/netip"
	"reflect"
	"strings"
)

var prefixType = reflect.TypeFor[netip.Prefix]()

// isGroup tells a type with settings of its own from a setting.
func isGroup(t reflect.Type) bool { return t.Kind() == reflect.Struct && t != prefixType }

// setting is one thing a variable or flag can set. Lists of groups cannot be
// set that way and have none.
type setting struct {
	key   string
	field reflect.StructField
	path  []int // of indices from Config
}

func (s setting) variable() string { return variableName(s.key) }

func variableName(key string) string {
	return "CAUSEWAY_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// settings lists all of Config in the order of its fields.
func settings() []setting { return settingsOf(reflect.TypeFor[Config](), "", nil) }

func settingsOf(t reflect.Type, prefix string, path []int) (all []setting) {
	for i := range t.NumField() {
		f := t.Field(i)
		s := setting{prefix + f.Tag.Get("yaml"), f, append(path[:len(path):len(path)], i)}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case isGroup(inner):
			all = append(all, settingsOf(inner, s.key+".", s.path)...)
		case inner.Kind() == reflect.Slice && isGroup(inner.Elem()):
		default:
			all = append(all, s)
		}
	}
	return all
}

// in finds the setting's value in c, making the optional sections on the way.
func (s setting) in(c *Config) reflect.Value {
	v := reflect.ValueOf(c).Elem()
	for _, i := range s.path {
		v = present(v).Field(i)
	}
	return v
}

// present is the group behind v, which is made with its defaults if v is an
// optional section that nobody has set.
func present(v reflect.Value) reflect.Value {
	if v.Kind() != reflect.Pointer {
		return v
	}
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
		setDefaults(v.Interface())
	}
	return v.Elem()
}

// setDefaults gives every setting of the struct that group points to the value
// of its default tag. A test holds that every tag can be read.
func setDefaults(group any) {
	v := reflect.ValueOf(group).Elem()
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		byDefault, ok := field.Tag.Lookup("default")
		switch {
		case ok:
			_ = setScalar(value, scalar{byDefault, anything})
		case isGroup(field.Type):
			setDefaults(value.Addr().Interface())
		}
	}
}

// walk visits every setting that c has, lists and their members included, with
// its dotted key.
func walk(c *Config, visit func(key string, field reflect.StructField, v reflect.Value)) {
	walkGroup(reflect.ValueOf(c).Elem(), "", visit)
}

func walkGroup(group reflect.Value, prefix string, visit func(string, reflect.StructField, reflect.Value)) {
	for i := range group.NumField() {
		field, v := group.Type().Field(i), group.Field(i)
		key := prefix + field.Tag.Get("yaml")
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				continue
			}
			v = v.Elem()
		}
		if isGroup(v.Type()) {
			walkGroup(v, key+".", visit)
			continue
		}
		visit(key, field, v)
		if v.Kind() == reflect.Slice && isGroup(v.Type().Elem()) {
			for j := range v.Len() {
				walkGroup(v.Index(j), indexed(key, j)+".", visit)
			}
		}
	}
}
