package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

// HeaderMultisiteWarning names a location that is missing from a list, one header
// for each.
const HeaderMultisiteWarning = "X-Causeway-Multisite-Warning"

// ParamOffsets is the query parameter with which a link leads to the next page of
// a list at several locations.
const ParamOffsets = "assocOffsets"

// Scope is where a request wants a list to be read: the zero Scope is the one
// location where it is fulfilled.
type Scope struct {
	Global    bool // wherever the session may act
	Locations []tenants.LocationID
}

// Wide reports whether other locations may be meant.
func (s Scope) Wide() bool { return s.Global || len(s.Locations) > 0 }

// maxLocations bounds a list of locations in Accept.
const maxLocations = 256

// Multisite reads the parameter multisite of Accept's media types. It may stand
// in any of them; where it stands in several it must say the same. The official
// SDK joins locations with commas, VCD itself with colons.
func Multisite(h http.Header) (Scope, error) {
	var scope Scope
	found := false
	for _, line := range h.Values("Accept") {
		if !strings.Contains(strings.ToLower(line), "multisite") {
			continue
		}
		for _, media := range splitAccept(line) {
			for _, value := range parameters(media, "multisite") {
				s, err := parseScope(value)
				if err != nil {
					return Scope{}, err
				}
				if found && !s.equal(scope) {
					return Scope{}, problem.New(problem.InvalidMultisiteArgs, "Accept holds several values of multisite.")
				}
				scope, found = s, true
			}
		}
	}
	return scope, nil
}

func (s Scope) equal(t Scope) bool {
	return s.Global == t.Global && slices.Equal(s.Locations, t.Locations)
}

// parseScope reads one value. A list is sorted, each location once.
func parseScope(value string) (Scope, error) {
	switch strings.ToLower(value) {
	case "local", "false":
		return Scope{}, nil
	case "global", "true":
		return Scope{Global: true}, nil
	}
	var s Scope
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ':' }) {
		l, ok := tenants.ParseLocationID(strings.TrimSpace(part))
		if !ok || len(s.Locations) == maxLocations {
			return Scope{}, unreadableScope()
		}
		s.Locations = append(s.Locations, l)
	}
	if len(s.Locations) == 0 {
		return Scope{}, unreadableScope()
	}
	slices.SortFunc(s.Locations, tenants.LocationID.Compare)
	s.Locations = slices.Compact(s.Locations)
	return s, nil
}

func unreadableScope() error {
	return problem.New(problem.InvalidMultisiteArgs,
		"multisite must be local, global or at most %d locations <organization id>@<site id>.", maxLocations)
}

// LocalAccept is r's Accept for asking one location on r's behalf. Below /api it
// asks for JSON, whatever the client reads: attributes of XML have no types.
func LocalAccept(r *http.Request) string {
	var media []string
	for _, line := range r.Header.Values("Accept") {
		media = append(media, splitAccept(line)...)
	}
	if under(r.URL.Path, "api") {
		media = []string{"application/*+json;version=" + firstVersion(media)}
	}
	for i, m := range media {
		media[i] = without(m, "multisite") + ";multisite=local"
	}
	return strings.Join(media, ",")
}

func firstVersion(media []string) string {
	for _, m := range media {
		if v := version(m); slices.Contains(Versions, v) {
			return v
		}
	}
	return Version
}

// parameters are a media type's values of one parameter. Package mime would give
// up on the @ of a location.
func parameters(media, name string) (values []string) {
	for param := range strings.SplitSeq(media, ";") {
		if value, ok := parameter(param, name); ok {
			values = append(values, value)
		}
	}
	return values
}

func parameter(param, name string) (value string, ok bool) {
	given, value, _ := strings.Cut(param, "=")
	return strings.Trim(strings.TrimSpace(value), `"`), strings.EqualFold(strings.TrimSpace(given), name)
}

func without(media, name string) string {
	kept := slices.DeleteFunc(strings.Split(media, ";"), func(param string) bool {
		_, ok := parameter(param, name)
		return ok
	})
	return strings.Join(kept, ";")
}
