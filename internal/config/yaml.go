package config

import (
	"errors"
	"reflect"
	"strconv"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// file reads YAML by its syntax tree and not into the struct: a decoder stops at
// the first mistake and forgets where values stood.
func (l *loader) file(name string, data []byte) {
	l.name = name
	whole := Origin{Name: name, rank: fromFile}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey()) // mapping reports those
	if err != nil {
		l.unread = true
		var syntax yaml.Error
		if errors.As(err, &syntax) { // its Error would print the lines around, secrets included
			l.fault(l.at(syntax.GetToken()), "", "%s", syntax.GetMessage())
		} else {
			l.fault(whole, "", "is not YAML")
		}
		return
	}
	for i, doc := range tree.Docs {
		switch body := doc.Body.(type) {
		case nil:
		case *ast.MappingNode:
			if i > 0 {
				l.fault(l.at(body.GetToken()), "", "a second document; only one is read")
				return
			}
			l.mapping(body, reflect.ValueOf(l.config).Elem(), "")
		default:
			l.unread = true
			l.fault(l.at(body.GetToken()), "", "must be a list of settings such as \"site:\"")
		}
	}
}

func (l *loader) at(t *token.Token) Origin {
	o := Origin{Name: l.name, rank: fromFile}
	if t != nil && t.Position != nil {
		o.Line, o.Column = t.Position.Line, t.Position.Column
	}
	return o
}

// mapping reads the settings of a group.
func (l *loader) mapping(node *ast.MappingNode, group reflect.Value, prefix string) {
	fields := map[string]int{}
	for i := range group.NumField() {
		fields[group.Type().Field(i).Tag.Get("yaml")] = i
	}
	first := map[string]int{}
	for _, pair := range node.Values {
		at := l.at(pair.Key.GetToken())
		name, ok := keyName(pair.Key)
		if !ok {
			l.fault(at, "", "this is not the name of a setting")
			continue
		}
		key := prefix + name
		if line, dup := first[name]; dup {
			l.fault(at, key, "is set twice, first in line %d", line)
			continue
		}
		first[name] = at.Line
		i, known := fields[name]
		if !known {
			l.fault(at, key, "%s", unknown(name, fields))
			continue
		}
		l.origin[key] = at
		l.value(pair.Value, group.Field(i), key, at)
	}
}

func keyName(key ast.MapKeyNode) (string, bool) {
	s, ok := key.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return s.Value, true
}

// value reads one setting, list or section.
func (l *loader) value(node ast.Node, v reflect.Value, key string, at Origin) {
	_, empty := node.(*ast.NullNode)
	switch {
	case v.Kind() == reflect.Pointer || isGroup(v.Type()):
		if mapping, ok := node.(*ast.MappingNode); ok {
			l.mapping(mapping, present(v), key+".")
		} else if !empty { // a section whose settings are all commented out
			l.fault(at, key, "is a section; its settings belong below it")
		}
	case v.Kind() == reflect.Slice:
		if list, ok := node.(*ast.SequenceNode); ok {
			l.sequence(list, v, key)
		} else if !empty {
			l.fault(at, key, "must be a list")
		}
	case empty:
		l.fault(at, key, "has no value; give it one or leave it out")
	default:
		s, ok := scalarOf(node)
		if !ok {
			l.fault(at, key, "must be a single value")
		} else if message := setScalar(v, s); message != "" {
			l.fault(at, key, "%s", message)
		}
	}
}

func (l *loader) sequence(node *ast.SequenceNode, v reflect.Value, key string) {
	if len(node.Values) == 0 {
		return // an empty list is no list, however it is written
	}
	v.Set(reflect.MakeSlice(v.Type(), len(node.Values), len(node.Values)))
	for i, item := range node.Values {
		key, at := indexed(key, i), l.at(item.GetToken())
		if m, ok := item.(*ast.MappingNode); ok && len(m.Values) > 0 {
			at = l.at(m.Values[0].Key.GetToken()) // its own token is the first colon
		}
		l.origin[key] = at
		if _, empty := item.(*ast.NullNode); empty {
			l.fault(at, key, "is empty")
			continue
		}
		if isGroup(v.Index(i).Type()) {
			setDefaults(v.Index(i).Addr().Interface())
		}
		l.value(item, v.Index(i), key, at)
	}
}

// scalarOf refuses anchors, aliases and tags with everything else that is not a
// plain value: a setting should be found where it is written.
func scalarOf(node ast.Node) (scalar, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return scalar{n.Value, text}, true
	case *ast.LiteralNode:
		return scalar{n.Value.Value, text}, true
	case *ast.IntegerNode:
		switch i := n.Value.(type) {
		case int64:
			return scalar{strconv.FormatInt(i, 10), number}, true
		case uint64:
			return scalar{strconv.FormatUint(i, 10), number}, true
		}
	case *ast.FloatNode:
		return scalar{strconv.FormatFloat(n.Value, 'g', -1, 64), number}, true
	case *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return scalar{node.GetToken().Value, other}, true
	}
	return scalar{}, false
}
