package httpapi

import (
	"net/http"
	"slices"
	"strings"

	"causeway/internal/problem"
)

// CheckVersion refuses a request that insists on an API version we do not
// speak. No Accept at all, no version and an empty version are all fine: token
// exchanges and scripts send them (golden rules of VCD's wire). Of several
// media types any that fits will do.
func CheckVersion(r *http.Request) error {
	if !under(r.URL.Path, "api") && !under(r.URL.Path, "cloudapi") {
		return nil
	}
	asked := false
	for _, line := range r.Header.Values("Accept") {
		for _, media := range splitAccept(line) {
			if version := version(media); version == "" || slices.Contains(Versions, version) {
				return nil
			}
			asked = true
		}
	}
	if asked {
		return problem.New(problem.NotAcceptable, "The API version is not supported; see /api/versions.")
	}
	return nil
}

// version is a media type's version parameter, or empty.
func version(media string) string {
	for param := range strings.SplitSeq(media, ";") {
		if value, ok := parameter(param, "version"); ok {
			return value
		}
	}
	return ""
}

// splitAccept splits at commas that separate media types. A list of locations
// in a multisite parameter holds commas too; what follows them has no slash.
func splitAccept(line string) []string {
	var media []string
	for part := range strings.SplitSeq(line, ",") {
		if strings.Contains(part, "/") || len(media) == 0 {
			media = append(media, strings.TrimSpace(part))
		} else {
			media[len(media)-1] += "," + part
		}
	}
	return media
}
