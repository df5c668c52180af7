package ui

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Detail is a thing that a line of the audit trail tells besides: it changed from Old
// to New, or it is Value. All are words for people.
type Detail struct{ Name, Old, New, Value string }

// Details are what a line of the audit trail tells besides, in words, in the order of
// their names.
func (s *Screen) Details(told map[string]string) (list []Detail) {
	for _, key := range slices.Sorted(maps.Keys(told)) {
		stem, old := strings.CutSuffix(key, ".old")
		changed := old
		if !old {
			stem, changed = strings.CutSuffix(key, ".new")
		}
		_, both := told[stem+".new"]
		switch {
		case old && both: // it is told with the new one
		case changed:
			was, is := s.told(told[stem+".old"]), s.told(told[stem+".new"])
			if was == "" {
				was = s.T("detail.nothing")
			}
			if is == "" {
				is = s.T("detail.nothing")
			}
			list = append(list, Detail{Name: s.detailName(stem), Old: was, New: is})
		case told[key] != "":
			list = append(list, Detail{Name: s.detailName(key), Value: s.told(told[key])})
		}
	}
	return list
}

// detailName is a name in words. Where there are none, as for what a newer cell has
// written, it is shown as it is.
func (s *Screen) detailName(name string) string {
	if key := "detail." + name; s.kit.texts.Has(key) {
		return s.T(key)
	}
	if key := "limits." + name; strings.Contains(name, ".") && s.kit.texts.Has(key) { // service.kind
		return s.T(key)
	}
	return name
}

// told is a value in words.
func (s *Screen) told(value string) string {
	switch value {
	case "true":
		return s.T("detail.yes")
	case "false":
		return s.T("detail.no")
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return Moment{at: at}.UTC()
	}
	if value != "" && (value[0] == '[' || value[0] == '{') {
		var of any
		read := json.NewDecoder(strings.NewReader(value))
		read.UseNumber()
		if read.Decode(&of) == nil && !read.More() {
			return s.plain(of)
		}
	}
	return value
}

// plain writes a value of JSON without its marks.
func (s *Screen) plain(of any) string {
	var parts []string
	switch of := of.(type) {
	case nil:
		return ""
	case bool:
		return s.told(fmt.Sprint(of))
	case []any:
		for _, x := range of {
			parts = append(parts, s.plain(x))
		}
		return strings.Join(parts, "; ")
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(of)) {
			if text := s.plain(of[name]); text != "" {
				parts = append(parts, s.detailName(name)+" "+text)
			}
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(of)
}
